"""How fast the program is, and where the time goes: whole scans, a profile of one, and how cost grows.

Figures are processor time wherever they can be: what else a machine does changes wall-clock time, and hardly this one.
"""
