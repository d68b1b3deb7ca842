#!/bin/sh
# test_slurm.sh TAGLIGHT FORMULA_CHECKPOINT SOURCE_ROOT: the job script of docs/cluster.md
# under a real Slurm of one node, started for this test alone.
PATH=$PATH:/usr/sbin:/sbin
for program in slurmctld slurmd sbatch munged; do
    command -v $program >/dev/null || {
        echo "skipped: Slurm is not here ($program; Debian: slurmctld slurmd slurm-client munge)"
        exit 77
    }
done
"$1" devices >/dev/null 2>&1 || exit 77
# munged wants folders that nobody else can write to.
work=$(mktemp -d)
chmod 755 "$work"
stop() {
    for daemon in slurmd slurmctld munged; do
        [ -f "$work/$daemon.pid" ] && kill "$(cat "$work/$daemon.pid")" 2>/dev/null
    done
    sleep 1
    rm -rf "$work"
}
trap stop EXIT
fail() {
    echo "$1"
    tail -n 20 "$work"/*.log
    exit 1
}
export XDG_DATA_HOME="$work/data" XDG_CACHE_HOME="$work/cache"
mkdir "$work/state" "$work/spool" "$work/out"

# A cluster of this machine.
head -c 1024 /dev/urandom > "$work/munge.key"
chmod 400 "$work/munge.key"
host=$(hostname -s)
port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
cat > "$work/slurm.conf" <<CONF
ClusterName=taglight
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$work/munge.sock
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$work/slurm.conf"
munged --force --key-file="$work/munge.key" --socket="$work/munge.sock" \
    --pid-file="$work/munged.pid" --log-file="$work/munged.log" \
    --seed-file="$work/munge.seed" || { echo "skipped: munged does not start here"; exit 77; }
slurmctld && slurmd -N "$host" || { echo "skipped: Slurm does not start here"; exit 77; }
for i in $(seq 1 50); do
    sinfo -h -o %t 2>/dev/null | grep -q idle && break
    sleep 0.2
done
sinfo -h -o %t | grep -q idle || fail "the node does not become ready"

# Three shards as an array, joined, are what one run gives.
"$3/tests/tools/make_demo_model.sh" "$1" "$2" "$3/tests/corpus/text" "$work/demo" \
    >/dev/null || fail "the demo model was not made"
"$1" scenes "$work/scenes" --count 10 >/dev/null 2>&1 || fail "no pictures were drawn"
printf 'a red circle\nnight\n' > "$work/labels.txt"
TAGLIGHT=$(realpath "$1") PHOTOS="$work/scenes" MODEL="$work/demo" LABELS="$work/labels.txt" \
    OUT="$work/out" sbatch --wait --array=1-3 --chdir "$work" "$3/docs/tag.sbatch" \
    >"$work/sbatch.log" 2>&1 || fail "the array failed"
[ "$(ls "$work"/out/shard-*.db | wc -l)" = 3 ] || fail "there are other shards than three"
grep -h "belong to other shards" "$work"/taglight-*.log | wc -l | grep -qx 3 ||
    fail "the tasks did not share the images out"
"$1" merge "$work"/out/shard-*.db --into "$work/all.db" 2>"$work/merge.log" || fail "merge"
"$1" tag "$work/scenes" --recursive --model "$work/demo" --labels-file "$work/labels.txt" \
    --db "$work/one.db" 2>"$work/one.log" || fail "tag"
said() { python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT CAST (f.path AS TEXT), l.name,"
        " p.model, p.prompt, p.confidence FROM prediction p JOIN image_path f ON"
        " f.image = p.image JOIN label l ON l.id = p.label ORDER BY 1, 2"): print(row)' "$1"; }
said "$work/all.db" > "$work/all.txt"
said "$work/one.db" | cmp -s - "$work/all.txt" || fail "shards differ from one run"
[ "$(wc -l < "$work/all.txt")" = 20 ] || fail "10 images of 2 labels are 20 confidences"
