#!/bin/bash
# Starts, stops and uses the vLLM containers of one or two Sparks (Ray).
# Behaves like the script of the same name in spark-vllm-docker of January 2026: exec runs in the
# foreground, quotes of its command are lost, and whatever ends it takes the cluster down.

SCRIPT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
IMAGE_NAME="vllm-node"
CONTAINER_NAME="vllm_node"
HEAD_PORT="6379"
ACTION="start"
DAEMON_MODE="false"
EXTRA_ARGS="$VLLM_SPARK_EXTRA_DOCKER_ARGS"
HF_CACHE_DIR="${HF_HOME:-$HOME/.cache/huggingface}"

usage() {
    echo "Usage: $0 [-n <node_ips>] [-t <image_name>] [--name <container_name>] [--eth-if <if_name>] [--ib-if <if_name>] [--nccl-debug LEVEL] [--check-config] [-d] [start|stop|status|exec [command...]]"
    exit 1
}

while [[ "$#" -gt 0 ]]; do
    case $1 in
        -n|--nodes) NODES_ARG="$2"; shift ;;
        -t) IMAGE_NAME="$2"; shift ;;
        --name) CONTAINER_NAME="$2"; shift ;;
        --eth-if) ETH_IF="$2"; shift ;;
        --ib-if) IB_IF="$2"; shift ;;
        --nccl-debug) EXTRA_ARGS="$EXTRA_ARGS -e NCCL_DEBUG=$2"; shift ;;
        --check-config) CHECK_CONFIG="true" ;;
        -d) DAEMON_MODE="true" ;;
        -h|--help) usage ;;
        start|stop|status) ACTION="$1" ;;
        exec) ACTION="exec"; shift; COMMAND_TO_RUN="$*"; break ;;
        *) echo "Error: Unknown argument or action: $1"; usage ;;
    esac
    shift
done

read_env() { [[ -f "$SCRIPT_DIR/.env" ]] && sed -n "s/^$1=//p" "$SCRIPT_DIR/.env" | tr -d '"' | head -n 1; }
LOCAL_IP="$(read_env LOCAL_IP)"
ETH_IF="${ETH_IF:-$(read_env ETH_IF)}"
NODES="${NODES_ARG:-$(read_env CLUSTER_NODES)}"
NODES="${NODES:-$LOCAL_IP}"
IFS=',' read -r -a ALL_NODES <<< "$NODES"
HEAD_IP="${ALL_NODES[0]}"
PEER_NODES=("${ALL_NODES[@]:1}")
if [[ -n "$LOCAL_IP" && ",$NODES," != *",$LOCAL_IP,"* ]]; then
    echo "Error: Local IP ($LOCAL_IP) is not in the list of nodes ($NODES)"; exit 1
fi
echo "Head Node: $HEAD_IP"
echo "Worker Nodes: ${PEER_NODES[*]}"
echo "Container Name: $CONTAINER_NAME"
echo "Image Name: $IMAGE_NAME"
echo "Action: $ACTION"
[[ "$CHECK_CONFIG" == "true" ]] && exit 0

remote() { ssh -o BatchMode=yes -o StrictHostKeyChecking=no "$@"; }

stop_cluster() {
    trap - INT TERM HUP EXIT
    echo ""
    echo "Stopping cluster..."
    echo "Stopping head node ($HEAD_IP)..."
    docker stop "$CONTAINER_NAME" >/dev/null 2>&1 || true
    for worker in "${PEER_NODES[@]}"; do
        echo "Stopping worker node ($worker)..."
        remote "$worker" "docker stop $CONTAINER_NAME" >/dev/null 2>&1 || true
    done
    echo "Cluster stopped."
    exit "${1:-0}"
}

[[ "$ACTION" == "stop" ]] && stop_cluster
if [[ "$ACTION" == "status" ]]; then
    echo "Checking status..."
    if docker ps | grep -q "$CONTAINER_NAME"; then
        echo "[HEAD] $HEAD_IP: Container '$CONTAINER_NAME' is RUNNING."
        echo "--- Ray Status ---"
        docker exec "$CONTAINER_NAME" ray status
    else
        echo "[HEAD] $HEAD_IP: Container '$CONTAINER_NAME' is NOT running."
    fi
    exit 0
fi

docker_args() {
    local ip="$1"
    printf '%s' "--privileged --gpus all -d --rm --network host --shm-size 10.24g --name $CONTAINER_NAME -e VLLM_HOST_IP=$ip -e RAY_NODE_IP_ADDRESS=$ip -e NCCL_SOCKET_IFNAME=$ETH_IF -v $HF_CACHE_DIR:/root/.cache/huggingface $EXTRA_ARGS"
}

start_cluster() {
    if docker ps --format '{{.Names}}' | grep -q "^$CONTAINER_NAME$"; then
        echo "Warning: Container '$CONTAINER_NAME' is already running on head node ($HEAD_IP)."
        echo "Cluster containers are already running. Skipping launch."
        return
    fi
    echo "Starting Head Node on $HEAD_IP..."
    # Split at blanks on purpose: that is what happens to extra docker arguments on a Spark.
    # shellcheck disable=SC2046
    docker run $(docker_args "$HEAD_IP") "$IMAGE_NAME" sleep infinity
    docker exec -d "$CONTAINER_NAME" bash -c "ray start --block --head --port $HEAD_PORT --node-ip-address $HEAD_IP >> /proc/1/fd/1 2>&1"
    for worker in "${PEER_NODES[@]}"; do
        echo "Starting Worker Node on $worker..."
        remote "$worker" "docker run $(docker_args "$worker") $IMAGE_NAME sleep infinity"
        remote "$worker" "docker exec -d $CONTAINER_NAME bash -c 'ray start --block --address $HEAD_IP:$HEAD_PORT --node-ip-address $worker >> /proc/1/fd/1 2>&1'"
    done
    echo "Waiting for cluster to be ready..."
    for _ in $(seq 30); do
        if docker exec "$CONTAINER_NAME" ray status >/dev/null 2>&1; then
            echo "Cluster head is responsive."
            return
        fi
        sleep 2
    done
    echo "Timeout waiting for cluster to start."
    exit 1
}

if [[ "$ACTION" == "exec" ]]; then
    trap 'stop_cluster' INT TERM HUP EXIT
    start_cluster
    echo "Executing command on head node: $COMMAND_TO_RUN"
    docker exec -i "$CONTAINER_NAME" bash -c "$COMMAND_TO_RUN"
    stop_cluster $?
fi
start_cluster
[[ "$DAEMON_MODE" == "true" ]] && exit 0
trap 'stop_cluster' INT TERM HUP EXIT
echo "Cluster started. Press Ctrl+C to stop."
while :; do sleep 1 & wait $!; done
