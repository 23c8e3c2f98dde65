"""The refusals of Qdrant: a status, and one sentence under ``status.error``."""


class QdrantError(Exception):
    """What Qdrant answers instead of a result."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def no_collection(name: str) -> QdrantError:
    """There is no such collection."""
    return QdrantError(404, f"Not found: Collection `{name}` doesn't exist!")


def wrong_input(what: str) -> QdrantError:
    """It was understood, and does not fit what is stored."""
    return QdrantError(400, f"Wrong input: {what}")


def bad_format(what: str) -> QdrantError:
    """It was not understood."""
    return QdrantError(400, f"Format error in JSON body: {what}")


def invalid(field: str, what: str) -> QdrantError:
    """It was understood, and breaks a rule of its own."""
    return QdrantError(422, f"Validation error in JSON body: [{field}: {what}]")
