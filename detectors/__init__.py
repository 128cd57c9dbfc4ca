"""The core: what an event is, what a finding is, and every way to get from one to the other.

Pure: no socket, no clock, no environment. Frames in, frames out.
"""
