#!/bin/bash
# Starts, stops and uses the vLLM containers of one or two Sparks (no-Ray mode).
# Behaves like the script of the same name in spark-vllm-docker of September 2026.

SCRIPT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
IMAGE_NAME="vllm-node"
CONTAINER_NAME=""
NODES_ARG=""
MASTER_PORT="29501"
CONFIG_FILE="$SCRIPT_DIR/.env"
SOLO_MODE="false"
DAEMON_MODE="false"
CHECK_CONFIG="false"
PRIVILEGED="true"
NO_RAY_MODE="true"
MOUNT_CACHE_DIRS="true"
CLEAR_ENTRYPOINT="true"
ACTION=""
COMMAND_TO_RUN=""
FIRST_PROCESS="sleep infinity"
PUBLISH=""
EXTRA_ARGS="$VLLM_SPARK_EXTRA_DOCKER_ARGS"
HF_CACHE_DIR="${HF_HOME:-$HOME/.cache/huggingface}"

usage() {
    echo "Usage: $0 [-n <node_ips>] [-t <image_name>] [--name <container_name>] [--eth-if <if_name>] [--ib-if <if_name>] [-e KEY=VALUE] [-v HOST:CONTAINER] [--publish HOST:CONTAINER] [-j N] [--nccl-debug LEVEL] [--apply-mod PATH] [--check-config] [--solo] [--ray|--no-ray] [--master-port PORT] [--no-cache-dirs] [--keep-entrypoint] [--earlyoom] [-d] [--config FILE] start|stop|status|exec [command...]"
    exit 1
}

while [[ "$#" -gt 0 ]]; do
    case $1 in
        -n|--nodes) NODES_ARG="$2"; shift ;;
        -t) IMAGE_NAME="$2"; shift ;;
        --name) CONTAINER_NAME="$2"; shift ;;
        --eth-if) ETH_IF="$2"; shift ;;
        --ib-if) IB_IF="$2"; shift ;;
        -e|--env) EXTRA_ARGS="$EXTRA_ARGS -e $2"; shift ;;
        -v|--volume) EXTRA_ARGS="$EXTRA_ARGS -v $2"; shift ;;
        -v=*|--volume=*) EXTRA_ARGS="$EXTRA_ARGS -v ${1#*=}" ;;
        -p|--publish) PUBLISH="$PUBLISH -p $2"; shift ;;
        -j) EXTRA_ARGS="$EXTRA_ARGS -e MAX_JOBS=$2 -e CMAKE_BUILD_PARALLEL_LEVEL=$2"; shift ;;
        --nccl-debug)
            if [[ "$2" =~ ^(VERSION|WARN|INFO|TRACE)$ ]]; then NCCL="$2"; shift; else NCCL="INFO"; fi
            EXTRA_ARGS="$EXTRA_ARGS -e NCCL_DEBUG=$NCCL" ;;
        --apply-mod)
            if [[ ! -e "$2" ]]; then echo "Error: Mod path '$2' does not exist."; exit 1; fi
            shift ;;
        --check-config) CHECK_CONFIG="true" ;;
        --solo) SOLO_MODE="true" ;;
        --no-ray) NO_RAY_MODE="true" ;;
        --ray) NO_RAY_MODE="false" ;;
        --master-port|--head-port) MASTER_PORT="$2"; shift ;;
        --no-cache-dirs) MOUNT_CACHE_DIRS="false" ;;
        --keep-entrypoint) CLEAR_ENTRYPOINT="false" ;;
        --earlyoom) FIRST_PROCESS="earlyoom -M 524288,102400 -s 100 -r 60" ;;
        --non-privileged) PRIVILEGED="false" ;;
        --mem-limit-gb|--mem-swap-limit-gb|--pids-limit|--shm-size-gb|--earlyoom-args) shift ;;
        -d) DAEMON_MODE="true" ;;
        --config) CONFIG_FILE="$2"; shift ;;
        -h|--help) usage ;;
        start|stop|status) ACTION="$1" ;;
        exec)
            ACTION="exec"; shift
            for arg in "$@"; do COMMAND_TO_RUN+="$(printf '%q' "$arg") "; done
            break ;;
        *) echo "Error: Unknown argument or action: $1"; usage ;;
    esac
    shift
done
[[ -z "$ACTION" && "$CHECK_CONFIG" != "true" ]] && usage
if [[ "$NO_RAY_MODE" == "false" ]]; then
    echo "Error: --ray is not available in this checkout."; exit 1
fi
if [[ -n "$PUBLISH" && "$SOLO_MODE" != "true" ]]; then
    echo "Error: --publish is only supported in solo mode."; exit 1
fi

if [[ -f "$CONFIG_FILE" ]]; then
    echo "Loading configuration from .env file..."
    LOADED=""
    while IFS= read -r row || [[ -n "$row" ]]; do
        [[ -z "$row" || "$row" == \#* ]] && continue
        if [[ ! "$row" =~ ^([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]]; then
            echo "Error: Invalid .env file syntax. Aborting."; exit 1
        fi
        key="${BASH_REMATCH[1]}"; value="${BASH_REMATCH[2]}"
        value="${value%\"}"; value="${value#\"}"
        printf -v "DOTENV_$key" '%s' "$value"
        LOADED+="DOTENV_$key "
        if [[ "$key" == CONTAINER_* && "$key" != "CONTAINER_NAME" ]]; then
            EXTRA_ARGS="$EXTRA_ARGS -e ${key#CONTAINER_}=$value"
        fi
    done < "$CONFIG_FILE"
    echo "Loaded .env variables: $LOADED"
fi
CONTAINER_NAME="${CONTAINER_NAME:-${DOTENV_CONTAINER_NAME:-vllm_node}}"
ETH_IF="${ETH_IF:-$DOTENV_ETH_IF}"
IB_IF="${IB_IF:-$DOTENV_IB_IF}"
LOCAL_IP="${LOCAL_IP:-$DOTENV_LOCAL_IP}"

if [[ "$SOLO_MODE" == "true" ]]; then
    echo "Solo mode enabled. Skipping node detection."
    HEAD_IP="${LOCAL_IP:-127.0.0.1}"
    PEER_NODES=()
else
    NODES="${NODES_ARG:-$DOTENV_CLUSTER_NODES}"
    if [[ -z "$NODES" ]]; then
        if ! command -v ibdev2netdev >/dev/null 2>&1; then
            echo "Error: ibdev2netdev not found. Cannot auto-detect interfaces."; exit 1
        fi
        UP=$(ibdev2netdev | grep -c 'Up)')
        if [[ "$UP" != 2 && "$UP" != 4 ]]; then
            echo "Error: Unexpected number of active CX7 interfaces ($UP). Expected 2 (non-mesh) or 4 (mesh)."; exit 1
        fi
        NODES="$LOCAL_IP"
    fi
    IFS=',' read -r -a ALL_NODES <<< "$NODES"
    HEAD_IP="${ALL_NODES[0]}"
    PEER_NODES=("${ALL_NODES[@]:1}")
    if [[ -n "$LOCAL_IP" && ",$NODES," != *",$LOCAL_IP,"* ]]; then
        echo "Error: Local IP ($LOCAL_IP) is not in the list of nodes ($NODES)"; exit 1
    fi
fi

required_nodes() {
    local tp=1 pp=1 dp=1 words=() i
    eval "words=($COMMAND_TO_RUN)"
    for ((i = 0; i < ${#words[@]}; i++)); do
        case ${words[i]} in
            -tp|--tensor-parallel-size) tp="${words[i+1]}" ;;
            --tensor-parallel-size=*|-tp=*) tp="${words[i]#*=}" ;;
            -pp|--pipeline-parallel-size) pp="${words[i+1]}" ;;
            --pipeline-parallel-size=*) pp="${words[i]#*=}" ;;
            -dp|--data-parallel-size) dp="${words[i+1]}" ;;
            --data-parallel-size=*) dp="${words[i]#*=}" ;;
        esac
    done
    TP=$tp PP=$pp DP=$dp REQUIRED=$((tp * pp * dp))
}
if [[ "$ACTION" == "exec" && "$SOLO_MODE" != "true" ]]; then
    required_nodes
    TOTAL=$((1 + ${#PEER_NODES[@]}))
    if (( REQUIRED > TOTAL )); then
        echo "Error: Command requires $REQUIRED nodes (tp=$TP * pp=$PP * dp=$DP) but only $TOTAL node(s) are configured."; exit 1
    fi
    if (( REQUIRED > 1 && REQUIRED < TOTAL )); then
        echo "Note: Command requires $REQUIRED node(s); using $REQUIRED of $TOTAL."
        PEER_NODES=("${PEER_NODES[@]:0:$((REQUIRED - 1))}")
    fi
fi

echo "Head Node: $HEAD_IP"
echo "Worker Nodes: ${PEER_NODES[*]}"
echo "Container Name: $CONTAINER_NAME"
echo "Image Name: $IMAGE_NAME"
echo "Action: $ACTION"
[[ "$CHECK_CONFIG" == "true" ]] && exit 0

remote() { ssh -o BatchMode=yes -o StrictHostKeyChecking=no "$@"; }

if [[ "$ACTION" != "stop" && ${#PEER_NODES[@]} -gt 0 ]]; then
    echo "Checking SSH connectivity to worker nodes..."
    for worker in "${PEER_NODES[@]}"; do
        if ! remote -o ConnectTimeout=5 "$worker" true >/dev/null 2>&1; then
            echo "Error: Passwordless SSH to $worker failed."; exit 1
        fi
        echo "  SSH to $worker: OK"
    done
fi

stop_cluster() {
    echo ""
    echo "Stopping cluster..."
    echo "Stopping head node ($HEAD_IP)..."
    docker stop "$CONTAINER_NAME" >/dev/null 2>&1 || true
    for worker in "${PEER_NODES[@]}"; do
        echo "Stopping worker node ($worker)..."
        remote "$worker" "docker stop $CONTAINER_NAME" >/dev/null 2>&1 || true
    done
    echo "Cluster stopped."
}

if [[ "$ACTION" == "stop" ]]; then stop_cluster; exit 0; fi

if [[ "$ACTION" == "status" ]]; then
    echo "Checking status..."
    if docker ps | grep -q "$CONTAINER_NAME"; then
        echo "[HEAD] $HEAD_IP: Container '$CONTAINER_NAME' is RUNNING."
    else
        echo "[HEAD] $HEAD_IP: Container '$CONTAINER_NAME' is NOT running."
    fi
    for worker in "${PEER_NODES[@]}"; do
        if remote "$worker" "docker ps | grep -q '$CONTAINER_NAME'"; then
            echo "[WORKER] $worker: Container '$CONTAINER_NAME' is RUNNING."
        else
            echo "[WORKER] $worker: Container '$CONTAINER_NAME' is NOT running."
        fi
    done
    exit 0
fi

check_images() {
    [[ ${#PEER_NODES[@]} -eq 0 ]] && return
    echo "Verifying Docker image consistency across cluster nodes..."
    local head_id worker_id
    head_id=$(docker image inspect --format '{{.Id}}' "$IMAGE_NAME" 2>/dev/null)
    echo "  [HEAD] $HEAD_IP: ${head_id:-missing}"
    for worker in "${PEER_NODES[@]}"; do
        worker_id=$(remote "$worker" "docker image inspect --format '{{.Id}}' $IMAGE_NAME" 2>/dev/null)
        if [[ "$head_id" != "$worker_id" ]]; then
            echo "  [WORKER] $worker: ${worker_id:-missing} (MISMATCH)"
            echo "Error: Docker image mismatch on worker node ($worker)"
            echo "Error: Cluster launch aborted because image '$IMAGE_NAME' is not in sync."
            exit 1
        fi
        echo "  [WORKER] $worker: $worker_id (match)"
    done
    echo "Docker image consistency check passed."
}

docker_args() {
    local ip="$1" args=""
    if [[ "$PRIVILEGED" == "true" ]]; then
        args="--privileged --ulimit nofile=${VLLM_SPARK_NOFILE_LIMIT:-1048576}:${VLLM_SPARK_NOFILE_LIMIT:-1048576} --ipc=host"
    else
        args="--cap-add=IPC_LOCK --device=/dev/infiniband --shm-size=64g"
    fi
    args="$args -e VLLM_HOST_IP=$ip -e RAY_NODE_IP_ADDRESS=$ip -e RAY_OVERRIDE_NODE_IP_ADDRESS=$ip"
    if [[ "$SOLO_MODE" != "true" ]]; then
        args="$args -e MN_IF_NAME=$ETH_IF -e UCX_NET_DEVICES=$ETH_IF -e NCCL_SOCKET_IFNAME=$ETH_IF -e NCCL_IB_HCA=$IB_IF -e NCCL_IB_DISABLE=0 -e OMPI_MCA_btl_tcp_if_include=$ETH_IF -e GLOO_SOCKET_IFNAME=$ETH_IF -e TP_SOCKET_IFNAME=$ETH_IF"
    fi
    args="$args -e RAY_memory_monitor_refresh_ms=0 -e RAY_num_prestart_python_workers=0 -e RAY_object_store_memory=1073741824"
    if [[ -n "$PUBLISH" ]]; then args="$args --gpus all -d --rm$PUBLISH"; else args="$args --gpus all -d --rm --network host"; fi
    args="$args --name $CONTAINER_NAME"
    [[ "$CLEAR_ENTRYPOINT" == "true" ]] && args="$args --entrypoint="
    args="$args -e NCCL_IGNORE_CPU_AFFINITY=1 -e PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True"
    args="$args -v $HF_CACHE_DIR:/root/.cache/huggingface $EXTRA_ARGS"
    if [[ "$MOUNT_CACHE_DIRS" == "true" ]]; then
        args="$args -v $HOME/.cache/vllm:/root/.cache/vllm -v $HOME/.cache/flashinfer:/root/.cache/flashinfer -v $HOME/.triton:/root/.triton -v $HOME/.tilelang:/root/.tilelang"
    fi
    printf '%s' "$args"
}

start_cluster() {
    if docker ps --format '{{.Names}}' | grep -q "^$CONTAINER_NAME$"; then
        echo "Warning: Container '$CONTAINER_NAME' is already running on head node ($HEAD_IP)."
        echo "Cluster containers are already running. Skipping launch."
        return
    fi
    check_images
    mkdir -p "$HOME/.cache/vllm" "$HOME/.cache/flashinfer" "$HOME/.triton" "$HOME/.tilelang"
    echo "Starting Head Node on $HEAD_IP..."
    # Split at blanks on purpose: that is what happens to extra docker arguments on a Spark.
    # shellcheck disable=SC2046
    docker run $(docker_args "$HEAD_IP") "$IMAGE_NAME" $FIRST_PROCESS
    local rc=$?
    if (( rc != 0 )) && [[ ${#PEER_NODES[@]} -gt 0 ]]; then exit 1; fi
    for worker in "${PEER_NODES[@]}"; do
        echo "Starting Worker Node on $worker..."
        remote "$worker" 'mkdir -p ~/.cache/vllm ~/.cache/flashinfer ~/.triton ~/.tilelang'
        remote "$worker" "docker run $(docker_args "$worker") $IMAGE_NAME $FIRST_PROCESS"
    done
}

start_cluster
[[ "$ACTION" == "start" ]] && {
    [[ "$DAEMON_MODE" == "true" ]] && exit 0
    trap 'stop_cluster; exit 0' INT TERM HUP
    echo "Cluster started. Press Ctrl+C to stop."
    while :; do sleep 1 & wait $!; done
}

run_everywhere() {
    local head_command="$COMMAND_TO_RUN" rank=1 suffix worker_command
    echo "Executing command: $COMMAND_TO_RUN"
    if [[ ${#PEER_NODES[@]} -gt 0 && "$COMMAND_TO_RUN" == *"vllm serve"* ]]; then
        COMMAND_TO_RUN=$(printf '%s' "$COMMAND_TO_RUN" | sed -E 's/--distributed-executor-backend[= ][^ ]+ ?//')
        suffix="--nnodes $((1 + ${#PEER_NODES[@]}))"
        for worker in "${PEER_NODES[@]}"; do
            worker_command="$COMMAND_TO_RUN $suffix --node-rank $rank --master-addr $HEAD_IP --master-port $MASTER_PORT --headless >> /proc/1/fd/1 2>&1"
            echo "Launching worker (rank $rank) on $worker..."
            remote "$worker" "docker exec -d $CONTAINER_NAME bash -c $(printf '%q' "$worker_command")"
            rank=$((rank + 1))
        done
        head_command="$COMMAND_TO_RUN $suffix --node-rank 0 --master-addr $HEAD_IP --master-port $MASTER_PORT"
        echo "Executing command on head node (rank 0): $head_command"
    fi
    if [[ "$DAEMON_MODE" == "true" ]]; then
        docker exec -d "$CONTAINER_NAME" bash -c "$head_command >> /proc/1/fd/1 2>&1"
        echo "Command dispatched in background (Daemon mode). Container: $CONTAINER_NAME"
        exit 0
    fi
    trap 'kill $! 2>/dev/null; stop_cluster; exit 0' INT TERM HUP
    docker exec -i "$CONTAINER_NAME" bash -c "$head_command" &
    wait $!
    local rc=$?
    stop_cluster
    exit $rc
}
run_everywhere
