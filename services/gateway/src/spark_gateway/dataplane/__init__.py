"""The /v1 data plane: bytes between clients and the model server, beside the ASGI application.

``protocol.make_protocol(desk, limits, meters)`` gives the class for uvicorn's ``http`` option.
"""
