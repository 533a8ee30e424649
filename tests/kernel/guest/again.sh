# shellcheck shell=bash disable=SC2154
# Calls that the client sends again after kill -9, because they were not answered: none meets what it has done itself.
# ROUNDS rounds of creating, linking, renaming and removing, by four at once, while the server is killed every 2 s.
if [ -z "$RESTARTS" ]; then
  echo "the server's files are in memory: nothing outlives a kill"
  exit 0
fi
rounds=${ROUNDS:-2000} between=2
[ -z "$SHORT" ] || rounds=100 between=0.5
python3 -S - "$DIR" "$rounds" "$SCRATCH/wrong" <<'PY' &
import os, sys
root, rounds, wrong = sys.argv[1], int(sys.argv[2]), sys.argv[3]
WORKERS = 4

def work(number):
    top = f"{root}/worker-{number}"
    os.mkdir(top)
    errors = []
    def call(what, *arguments):
        try:
            return getattr(os, what)(*arguments)
        except OSError as error:
            errors.append(f"{what}: {error}")
    for round in range(number, rounds, WORKERS):
        at = f"{top}/{round}"
        call("mkdir", at)
        made = call("open", f"{at}/a", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        if made is not None:
            os.close(made)
        call("link", f"{at}/a", f"{at}/b")
        call("symlink", "a", f"{at}/c")
        call("mkfifo", f"{at}/d")
        call("rename", f"{at}/a", f"{at}/e")
        call("rename", f"{at}/b", f"{top}/b")
        for name in ["c", "d", "e", "../b"]:
            call("unlink", f"{at}/{name}")
        call("rmdir", at)
    call("rmdir", top)
    with open(f"{wrong}-{number}", "w") as f:
        f.writelines(error + "\n" for error in errors)

for number in range(WORKERS):
    if os.fork() == 0:
        work(number)
        os._exit(0)
for number in range(WORKERS):
    os.wait()
PY
working=$!
kills=0
sleep "$between"
while kill -0 "$working" 2>/dev/null; do
  ask kill
  kills=$((kills + 1))
  sleep "$between"
done
wait "$working"
cat "$SCRATCH"/wrong-[0-3]
wrong=$(cat "$SCRATCH"/wrong-[0-3] | wc -l)
echo "figure $rounds rounds of 12 changes, $kills kills, $wrong wrong errors"
[ "$wrong" = 0 ] || fail "$wrong calls met what they had done themselves"
