"""The speech container: its files, its process, and what the journal tells of both."""

from hashlib import sha256
from pathlib import Path

import httpx

from spark_sim.cluster import SimulatedCluster
from spark_sim.testing import Connect

APP = "/opt/parakeet/app"
OURS = "import torch  # own_files\n"


async def test_its_files_are_read_replaced_and_run(faster, connect: Connect, http) -> None:
    async with SimulatedCluster(faster(neighbours=True, speed=1000)) as cluster:
        spark = await connect(cluster)
        speech = cluster.hosts["spark1"].speech
        url = f"http://{cluster.hosts['spark1'].address}:8000/health"

        async def status() -> str:
            try:
                return str((await http.get(url)).json()["status"])
            except httpx.HTTPError:
                return "away"

        async def until(wanted: str) -> None:
            while await status() != wanted:
                pass

        assert await status() == "ready"
        form = "'{{.State.Status}} {{.RestartCount}} {{.Config.Image}}'"
        there = await spark.run(f"docker inspect -f {form} parakeet-asr")
        assert there.out == "running 0 martinb78/parakeet-tdt-v3-spark\n"
        read = f"docker cp parakeet-asr:{APP}/main.py - | tar -xO"
        assert "FastAPI" in (await spark.run(read)).out
        gone = await spark.run(f"docker cp parakeet-asr:{APP}/diarizer.py -")
        assert gone.code == 1
        assert "Could not find the file /opt/parakeet/app/diarizer.py in container" in gone.err
        other = await spark.run("echo x > f; docker cp f parakeet-asr:/opt/other/f")
        assert "Could not find the file /opt/other in container" in other.err

        for name in ("main.py", "diarizer.py"):
            text = OURS if name == "main.py" else "x = 1\n"
            done = await spark.run(
                f"printf '{text.strip()}\\n' > {name}; docker cp {name} parakeet-asr:{APP}/{name}"
            )
            assert (done.code, done.out) == (0, "")
        assert "overlay" not in (await http.get(url)).json(), "a file alone changes no process"
        assert (await spark.run("docker restart -t 10 parakeet-asr")).out == "parakeet-asr\n"
        await until("ready")
        told = (await http.get(url)).json()["overlay"]
        assert told["main.py"] == sha256(OURS.encode()).hexdigest()
        written = cluster.journal.of("container_file_written", "spark1")
        assert [entry.details["path"] for entry in written] == [
            f"{APP}/main.py",
            f"{APP}/diarizer.py",
        ]
        assert len(cluster.journal.of("container_restarted", "spark1")) == 1

        await spark.run(
            f"echo 'import nothing_there' | docker exec -i parakeet-asr tee {APP}/main.py"
        )
        await spark.run("docker restart parakeet-asr")
        await until("away")
        while speech.container.restart_count < 2:
            await status()
        log = await spark.run("docker logs parakeet-asr 2>&1")
        assert "ModuleNotFoundError: No module named 'nothing_there'" in log.out
        refused = await spark.run("docker exec parakeet-asr true")
        assert (refused.code, "is not running" in refused.err) == (1, True)

        await cluster.reset()
        assert await status() == "ready"
        assert "FastAPI" in Path(f"{speech.files}{APP}/main.py").read_text()
        assert (await spark.run("docker rm -f parakeet-asr")).code == 0
        await until("away")
