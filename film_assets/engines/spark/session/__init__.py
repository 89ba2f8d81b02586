"""Sessions of Spark: opened, watched, and ended, whichever way the settings reach it.

``session`` opens one (``classic``: a driver of our own, or ``connect``: a Spark Connect server); ``extra`` sees that libraries
are here, ``executors`` that executors have what they need, and ``package`` sends them our code; ``watch`` sees whether jobs get
anywhere, ``faults`` says in a line what Spark raised. Does not belong here: anything about tables.
"""

from film_assets.engines.spark.session.session import Session, open_session

__all__ = ["Session", "open_session"]
