"""Speech to text and text to speech: real bytes in and out, and faults that stay or pass."""

import struct

import httpx

from spark_sim.cluster import SimulatedCluster
from spark_sim.faults import Behaviour
from spark_sim.speakclock.sound_files import read
from spark_sim.testing import Connect


def wav(samples: bytes) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


async def test_sound_faults_and_their_only_cure(faster, connect: Connect, http) -> None:
    async with SimulatedCluster(faster(neighbours=True, speed=1000)) as cluster:
        spark = await connect(cluster)
        host = cluster.hosts["spark1"]
        speech, voice = f"http://{host.address}:8000", f"http://{host.address}:8880"

        async def heard(data: bytes = wav(b"\1\0" * 8000)) -> httpx.Response:
            files = {"file": ("a.wav", data, "audio/wav")}
            return await http.post(f"{speech}/v1/audio/transcriptions", files=files)

        answer = await heard()
        assert (answer.status_code, answer.json()) == (200, {"text": ""})
        assert (await heard(b"no sound")).status_code == 500
        said = {"input": "OK", "voice": "af_heart", "model": "kokoro", "response_format": "wav"}
        spoken = await http.post(f"{voice}/v1/audio/speech", json=said)
        assert spoken.content[:4] == b"RIFF"
        assert read(spoken.content).samples.any()
        wrong = await http.post(f"{voice}/v1/audio/speech", json=said | {"model": "other"})
        assert wrong.json()["detail"]["error"] == "invalid_model"

        await cluster.behave("spark1", Behaviour.VOICE_SILENT)
        spoken = await http.post(f"{voice}/v1/audio/speech", json=said)
        assert not read(spoken.content).samples.any()
        await cluster.behave("spark1", Behaviour.SPEECH_BUSY)
        try:
            await http.get(f"{speech}/health", timeout=httpx.Timeout(60, read=0.2))
        except httpx.ReadTimeout:
            pass
        else:
            raise AssertionError("its event loop is blocked")
        await cluster.behave("spark1", Behaviour.SPEECH_WEDGE)
        assert "illegal memory access" in (await heard()).json()["detail"]
        await cluster.behave("spark1", Behaviour.OK)
        assert (await heard()).status_code == 500, "a broken GPU context does not heal"
        assert (await http.get(f"{speech}/health")).json()["status"] == "ready"
        log = await spark.run("docker logs --since 900s --tail 300 parakeet-asr 2>&1")
        assert "CUDA error" in log.out
        await spark.run("docker restart parakeet-asr")
        while (await heard()).status_code == 503:
            pass
        assert (await heard()).status_code == 200

        control = f"{cluster.control_url}/_sim/speech"
        seen = (await http.get(control)).json()
        assert seen["parakeet"]["restarts"] == 1
        assert seen["parakeet"]["uploads"][0]["codec"] == "pcm_s16le"
        assert seen["parakeet"]["during_wedge"] == 1
        assert seen["kokoro"]["asked"][0]["form"] == "wav"
        turned = await http.put(control, json={"word_times": "words", "poison_words": ["x"]})
        assert turned.json()["parakeet"]["switches"]["word_times"] == "words"
        for wrong in ({"word_times": "x"}, {"nothing": 1}, {"service": "x"}, []):
            assert (await http.put(control, json=wrong)).status_code == 422
        await http.put(control, json={"service": "kokoro", "stops_after": 0})
        pcm = said | {"response_format": "pcm"}
        assert (await http.post(f"{voice}/v1/audio/speech", json=pcm)).content == b""
        left = (await http.post(f"{control}/forget")).json()
        assert (left["parakeet"]["uploads"], left["kokoro"]["asked"]) == ([], [])
        assert left["parakeet"]["switches"]["word_times"] == "word_segments"

        await http.put(control, json={"dies_next": True})
        try:
            await heard()
        except httpx.RemoteProtocolError:
            pass
        else:
            raise AssertionError("its connections end with it")
        assert host.speech.container.restart_count == 1
