#!/bin/bash
# Submits model servers, the parts of a build and their merge:
#
#   OUT=/shared/out NUM_PARTS=64 NUM_SERVERS=4 ./submit.sh pipeline.toml
#
# NUM_SERVERS=0 for a teacher that needs none, or that runs elsewhere.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PIPELINE=$(realpath "${1:-$here/pipeline.toml}")
OUT=${OUT:-/shared/out}
NUM_PARTS=${NUM_PARTS:-64}
NUM_SERVERS=${NUM_SERVERS:-2}
AT_ONCE=${AT_ONCE:-16}    # parts that run at a time
MODEL=${MODEL:-Qwen/Qwen2.5-7B-Instruct}
export PIPELINE OUT NUM_PARTS NUM_SERVERS MODEL
mkdir -p "$OUT/logs" "$OUT/endpoints" "$OUT/parts"

submit() {
  local job
  job=$(sbatch --parsable --export=ALL "$@")
  echo "${job%%;*}"    # a federation puts the cluster's name behind the number
}

starts_after=()
SERVERS_JOB=
if ((NUM_SERVERS > 0)); then
  SERVERS_JOB=$(submit --array="1-$NUM_SERVERS" --output="$OUT/logs/server-%A-%a.log" "$here/server.sbatch")
  starts_after=(--dependency="after:${SERVERS_JOB}_1")
fi
export SERVERS_JOB
parts=$(submit "${starts_after[@]}" --array="0-$((NUM_PARTS - 1))%$AT_ONCE" --output="$OUT/logs/part-%A-%a.log" \
  "$here/part.sbatch")
# However the parts ended: a part that lacks is named by the merge, and the servers are ended in any case.
merge=$(submit --dependency="afterany:$parts" --output="$OUT/logs/merge-%j.log" "$here/merge.sbatch")
echo "servers ${SERVERS_JOB:-none}, parts $parts, merge $merge"
