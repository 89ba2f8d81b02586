"""An invented data set of the very shape of the real one, at any scale.

Belongs here: what others may use. Does not belong here: how it is made (the modules below).
"""

from film_assets.sample.oddities import FAULTS, Fault
from film_assets.sample.world import DEMO_PEOPLE
from film_assets.sample.write import write_sample

__all__ = ["DEMO_PEOPLE", "FAULTS", "Fault", "write_sample"]
