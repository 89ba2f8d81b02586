"""The lake: every table a Delta table, and what is known of it.

``storage`` is the files, wherever they lie; ``table`` a Delta table and its versions; ``known`` what is known of one, ``state``
where that is kept and how it stays true of the rows. Does not belong here: Spark, and computing anything.
"""
