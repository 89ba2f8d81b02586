"""What of a new snapshot is told to people who do not open it: which rows go into a sheet, and what is new for a digest.

Belongs here: what is delivered of the films. Does not belong here: how (``channels``), and when (``orchestration``).
"""
