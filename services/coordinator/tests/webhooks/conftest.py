"""The webhooks of one coordinator, running."""

import ssl
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis.asyncio import Redis

from spark_common.clock import SystemClock
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_coordinator.webhooks.testing import Bench


@pytest_asyncio.fixture
async def bench(
    redis: Redis, bus: MemoryBus, broker: MemoryBroker, clock: FakeClock
) -> AsyncIterator[Bench]:
    made = Bench(redis, bus, broker, clock)
    await made.start()
    yield made
    await end(made.tasks)


@pytest.fixture
def certificate(tmp_path) -> ssl.SSLContext:
    """What a server of TLS shows that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
