#!/bin/bash
# Downloads a model on this Spark and copies it to others.
# Behaves like the script of the same name in spark-vllm-docker of September 2026.

SCRIPT_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
HUB="${HF_HOME:-$HOME/.cache/huggingface}/hub"
CONFIG_FILE="$SCRIPT_DIR/.env"
SSH_USER="$USER"
COPY="false"
COPY_HOSTS=()
MODEL_NAME=""

usage() {
    echo "Usage: $0 [-c|--copy-to [hosts]] [--copy-parallel] [-u user] [--config file] <model-name>"
    exit 1
}

duration() {
    printf '%02d:%02d:%02d' $(($1 / 3600)) $(($1 % 3600 / 60)) $(($1 % 60))
}

while [[ "$#" -gt 0 ]]; do
    case $1 in
        -c|--copy-to) COPY="true"
            while [[ "$#" -gt 2 && "$2" != -* ]]; do
                IFS=', ' read -r -a more <<< "$2"
                COPY_HOSTS+=("${more[@]}")
                shift
            done ;;
        --copy-parallel) ;;
        -u|--user) SSH_USER="$2"; shift ;;
        --config) CONFIG_FILE="$2"; shift ;;
        -h|--help) usage ;;
        -*) echo "Unknown parameter passed: $1"; usage ;;
        *) MODEL_NAME="$1" ;;
    esac
    shift
done
[ -n "$MODEL_NAME" ] || { echo "Error: Model name is required."; usage; }

if ! command -v uvx > /dev/null 2>&1; then
    echo "Error: 'uvx' command not found."
    echo "Please install uvx first: curl -LsSf https://astral.sh/uv/install.sh | sh"
    exit 1
fi

STARTED=$SECONDS
echo "Downloading model '$MODEL_NAME' using uvx..."
if ! uvx hf download "$MODEL_NAME"; then
    echo "Error: Failed to download model '$MODEL_NAME'."
    exit 1
fi
DOWNLOAD_TIME=$((SECONDS - STARTED))
echo "Download completed in $(duration $DOWNLOAD_TIME)"
MODEL_DIR="$HUB/models--${MODEL_NAME//\//--}"
echo "Model directory: $MODEL_DIR"

COPY_TIME=0
if [ "$COPY" = "true" ]; then
    if [ "${#COPY_HOSTS[@]}" -eq 0 ] && [ -f "$CONFIG_FILE" ]; then
        IFS=',' read -r -a COPY_HOSTS <<< "$(sed -n 's/^COPY_HOSTS=//p' "$CONFIG_FILE")"
    fi
    echo "Copying model to ${#COPY_HOSTS[@]} host(s): ${COPY_HOSTS[*]}"
    for host in "${COPY_HOSTS[@]}"; do
        BEGUN=$SECONDS
        echo "Copying model '$MODEL_NAME' to $SSH_USER@$host..."
        if rsync -av --mkpath --progress "$MODEL_DIR" "$SSH_USER@$host:.cache/huggingface/hub/"; then
            echo "Copy to $host completed in $(duration $((SECONDS - BEGUN)))"
        else
            echo "Copy to $host failed."
            exit 1
        fi
    done
    COPY_TIME=$((SECONDS - STARTED - DOWNLOAD_TIME))
fi

echo "========================================="
echo "         TIMING STATISTICS"
echo "========================================="
echo "Download:    $(duration $DOWNLOAD_TIME)"
[ "$COPY" = "true" ] && echo "Copy:        $(duration $COPY_TIME)"
echo "Total:       $(duration $((SECONDS - STARTED)))"
echo "========================================="
echo "Done downloading $MODEL_NAME."
