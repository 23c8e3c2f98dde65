"""From a caller's ``Idempotency-Key`` to the id of a swap or job."""

import hashlib

from spark_common.errors import InvalidRequestError
from spark_common.ids import is_id, new_id


def id_for(header: str | None, in_body: str | None) -> str:
    """Return the id that makes a repeat of this request the same swap or job.

    A key that is a valid id is used as it is, any other is hashed, none makes a new id.
    Raises InvalidRequestError when header and body name different ones.
    """
    from_header = None if header is None else header if is_id(header) else _hashed(header)
    if from_header is not None and in_body is not None and from_header != in_body:
        raise InvalidRequestError("Idempotency-Key and the id in the body differ; send one of them")
    return from_header or in_body or new_id()


def _hashed(key: str) -> str:
    return "key-" + hashlib.sha256(key.encode()).hexdigest()[:40]
