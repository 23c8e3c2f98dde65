"""Imported first by every program: while modules are read, nothing becomes garbage.

There is only more and more to walk, which is a tenth of what a start costs. Who runs the program
says ``gc.enable()`` once everything is read.
"""

import gc

gc.disable()
