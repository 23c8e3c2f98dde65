"""Two simulated Sparks: real shells, real wire shapes, fault switches and a journal."""
