"""What a request of the data plane took and gave: read from what passes, without touching it.

``watching.py`` follows one request, ``books.py`` adds up, ``collector.py`` shows the sums to
Prometheus, ``request_log.py`` sends one line per request to the coordinator.
"""
