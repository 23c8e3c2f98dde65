"""What every holder did with the cluster: from the events of the lease and of the swaps.

Numbers are never added up while events arrive. Facts are kept, each once, and folded when
somebody asks; so it does not matter how often, or in which order, an event is told.
"""
