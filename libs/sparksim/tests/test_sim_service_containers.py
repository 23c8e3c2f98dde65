"""Voice, embeddings, Qdrant and the bridge in containers: ports, crash loops, compose."""

import asyncio
import json

import httpx

from spark_sim.cluster import SimulatedCluster
from spark_sim.faults import Behaviour


async def test_a_port_opens_and_closes_with_its_container_and_a_loop_is_counted(faster, connect):
    config = faster(neighbours=True, service_containers=True, speed=1000)
    async with SimulatedCluster(config) as cluster, httpx.AsyncClient() as http:
        spark = await connect(cluster, "spark2")
        there = cluster.hosts["spark2"]
        url = f"http://{there.address}:6333/healthz"
        assert (await http.get(url)).status_code == 200
        assert (await spark.run("docker stop qdrant")).out == "qdrant\n"
        assert 6333 not in there.neighbours.ports
        assert (await spark.run("docker start qdrant")).code == 0
        assert (await spark.run("docker start qdrant nobody")).code == 1
        while 6333 not in there.neighbours.ports:
            await asyncio.sleep(0.01)
        assert (await http.get(url)).status_code == 200
        assert [one.details["name"] for one in cluster.journal.of("container_started")] == [
            "qdrant"
        ]

        await cluster.behave("spark2", Behaviour.SERVICE_CRASH_LOOP)
        crashes = cluster.journal.of
        while [one.details["name"] for one in crashes("container_crashed")].count("qdrant") < 3:
            await asyncio.sleep(0.01)
        assert 6333 not in there.neighbours.ports
        looked = await spark.run("docker inspect qdrant")
        assert json.loads(looked.out)[0]["RestartCount"] >= 2
        await spark.run("docker stop qdrant embeddings")
        assert not there.engine.find("qdrant").alive
        await cluster.behave("spark2", Behaviour.OK)
        await spark.run("docker start qdrant")
        while 6333 not in there.neighbours.ports:
            await asyncio.sleep(0.01)


async def test_the_bridge_is_behind_and_compose_builds_and_starts_what_is_checked_out(
    faster, connect
):
    config = faster(neighbours=True, service_containers=True, speed=1000)
    async with SimulatedCluster(config) as cluster:
        spark = await connect(cluster, "spark1")
        engine = cluster.hosts["spark1"].engine
        before = engine.find("matrix-bridge").id
        pulled = await spark.run("cd matrix-bridge && git pull --ff-only && git log -1 --format=%s")
        assert pulled.out.endswith("Read the room's name\n")
        assert (await spark.run("cd matrix-bridge && docker compose up -d --build")).code == 0
        assert engine.find("matrix-bridge").id != before
        assert engine.find("matrix-bridge").running
        assert (await spark.run("docker compose up -d")).code == 14
        await cluster.behave("spark1", Behaviour.NO_REGISTRY)
        assert (await spark.run("cd matrix-bridge && docker compose build")).code == 17
