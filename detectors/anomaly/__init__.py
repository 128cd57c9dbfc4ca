"""Behaviour out of the ordinary: features of entities, models of them, exact detectors beside them, and explanations.

    events ─► tally ─► features ─► PyOD models ─► p-values ─► alarm budget ─► explained findings
          └─► exact detectors: volume, silence, beacons, rare pairs, first-seen values, travel ─┘

Pure like all of `detectors`: frames in, frames out. PyOD is imported when a model is fitted.
"""
