#!/bin/bash
# Gets the image of vLLM and copies it to the other Sparks.
# Behaves like the script of the same name in spark-vllm-docker of September 2026.

SCRIPT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
IMAGE_TAG=""
PREBUILT="eugr/spark-vllm:latest"
DEFAULT_TAG="vllm-node"
CONFIG_FILE="$SCRIPT_DIR/.env"
SSH_USER="$USER"
COPY_HOSTS=()
COPY="false"
PARALLEL_COPY="false"
NO_BUILD="false"
BUILD_LOCALLY="false"
START=$(date +%s)

usage() {
    echo "Usage: $0 [-t, --tag <tag>] [-c, --copy-to <hosts>] [--copy-parallel] [-u, --user <user>] [--no-build] [--exp-b12x] [--exp-mxfp4] [--use-wheels] [--rebuild-vllm] [--rebuild-flashinfer] [--vllm-ref <ref>] [--full-log] [--cleanup] [-j <jobs>] [--network <network>] [--config <file>]"
    exit 1
}

while [[ "$#" -gt 0 ]]; do
    case $1 in
        -t|--tag) IMAGE_TAG="$2"; shift ;;
        -c|--copy-to)
            COPY="true"
            while [[ -n "$2" && "$2" != -* ]]; do
                IFS=',' read -r -a parts <<< "$2"
                COPY_HOSTS+=("${parts[@]}"); shift
            done ;;
        --copy-parallel) PARALLEL_COPY="true" ;;
        -u|--user) SSH_USER="$2"; shift ;;
        --no-build) NO_BUILD="true" ;;
        --exp-b12x) PREBUILT="eugr/spark-vllm-b12x:latest"; DEFAULT_TAG="vllm-node-b12x" ;;
        --exp-mxfp4) BUILD_LOCALLY="true"; DEFAULT_TAG="vllm-node-mxfp4" ;;
        --use-wheels|--rebuild-vllm|--rebuild-flashinfer) BUILD_LOCALLY="true" ;;
        --vllm-ref|--vllm-repo|--vllm-source-dir|--apply-vllm-pr|--gpu-arch)
            BUILD_LOCALLY="true"; shift ;;
        --full-log|--cleanup) ;;
        -j|--network) shift ;;
        --config) CONFIG_FILE="$2"; shift ;;
        -h|--help) usage ;;
        *) echo "Unknown parameter passed: $1"; usage ;;
    esac
    shift
done
IMAGE_TAG="${IMAGE_TAG:-$DEFAULT_TAG}"

if [[ "$COPY" == "true" && ${#COPY_HOSTS[@]} -eq 0 ]]; then
    if [[ -f "$CONFIG_FILE" ]]; then
        echo "Loading configuration from .env file..."
        IFS=',' read -r -a COPY_HOSTS <<< "$(sed -n 's/^COPY_HOSTS=//p' "$CONFIG_FILE" | tr -d '"')"
    fi
    if [[ ${#COPY_HOSTS[@]} -eq 0 ]]; then
        echo "Error: no hosts to copy to. Set COPY_HOSTS in .env or pass them to -c."; exit 1
    fi
fi

lasted() {
    local seconds=$(( $2 - $1 ))
    printf '%02d:%02d:%02d' $((seconds / 3600)) $((seconds % 3600 / 60)) $((seconds % 60))
}

remote() { ssh -o BatchMode=yes -o ConnectTimeout=10 "$@"; }

PULLED=0
if [[ "$NO_BUILD" != "true" ]]; then
    BEGAN=$(date +%s)
    if [[ "$BUILD_LOCALLY" == "true" ]]; then
        echo "Rebuilding vLLM wheels..."
        echo "Building runner image with command: docker build -t $IMAGE_TAG -f Dockerfile ."
        docker build -t "$IMAGE_TAG" -f Dockerfile "$SCRIPT_DIR" || { echo "Error: docker build failed."; exit 1; }
    else
        echo "Using prebuilt image $PREBUILT..."
        docker pull "$PREBUILT" || { echo "Error: Failed to pull prebuilt image '$PREBUILT'."; exit 1; }
        docker tag "$PREBUILT" "$IMAGE_TAG" || exit 1
        echo "Tagged $PREBUILT as $IMAGE_TAG."
    fi
    PULLED=$(date +%s); PULL_TIME="$(lasted "$BEGAN" "$PULLED")"
fi

copy_to_host() {
    local host=$1 began
    began=$(date +%s)
    echo "Loading image into $SSH_USER@$host..."
    if remote "$SSH_USER@$host" "docker load" < "$ARCHIVE"; then
        echo "Copy to $host completed in $(lasted "$began" "$(date +%s)")"
    else
        echo "Copy to $host failed."; return 1
    fi
}

COPY_BEGAN=$(date +%s)
if [[ "$COPY" == "true" ]]; then
    echo "Checking image '$IMAGE_TAG' on ${#COPY_HOSTS[@]} host(s): ${COPY_HOSTS[*]}"
    MINE="$(docker image inspect --format '{{.Id}}' "$IMAGE_TAG")" || exit 1
    NEEDED=()
    for host in "${COPY_HOSTS[@]}"; do
        THEIRS="$(remote "$SSH_USER@$host" "docker image inspect --format '{{.Id}}' $IMAGE_TAG" 2>/dev/null)"
        if [[ "$THEIRS" == "$MINE" ]]; then
            echo "Image '$IMAGE_TAG' is already up to date on $SSH_USER@$host; skipping."
        else
            if [[ -n "$THEIRS" ]]; then
                echo "Image '$IMAGE_TAG' differs on $SSH_USER@$host; will copy."
            else
                echo "Image '$IMAGE_TAG' not found on $SSH_USER@$host; will copy."
            fi
            NEEDED+=("$host")
        fi
    done
    if [[ ${#NEEDED[@]} -gt 0 ]]; then
        ARCHIVE="$(mktemp /tmp/vllm_image.XXXXXXXX)"
        trap 'rm -f "$ARCHIVE"' EXIT
        echo "Saving image locally to $ARCHIVE..."
        docker save -o "$ARCHIVE" "$IMAGE_TAG" || { echo "Error: Failed to save image."; exit 1; }
        FAILED=0
        if [[ "$PARALLEL_COPY" == "true" ]]; then
            for host in "${NEEDED[@]}"; do copy_to_host "$host" & done
            for job in $(jobs -p); do wait "$job" || FAILED=1; done
        else
            for host in "${NEEDED[@]}"; do copy_to_host "$host" || FAILED=1; done
        fi
        [[ "$FAILED" == 1 ]] && exit 1
    fi
    echo "Copy complete."
fi

echo ""
echo "========================================="
echo "         TIMING STATISTICS"
echo "========================================="
[[ "$PULLED" != 0 ]] && echo "Prebuilt Pull:  $PULL_TIME"
[[ "$COPY" == "true" ]] && echo "Image Copy:     $(lasted "$COPY_BEGAN" "$(date +%s)")"
echo "Total Time:     $(lasted "$START" "$(date +%s)")"
echo "========================================="
echo "Done building $IMAGE_TAG."
