#!/usr/bin/env bash
# Ask every engine, each in an environment of its own; write data/conventions.json.
#
#   findings/conventions/ask_all.sh            all of them
#   findings/conventions/ask_all.sh jax mlx    these; the other columns stay
#
# PYTHON: a Python 3.12 for the engines. COURSE: a Python that has the course.
# What does not install or run here is named, and its stored column stays, with its date.
set -uo pipefail
cd "$(dirname "$0")"
export PYTHONPATH=$PWD/../..
engines=("$@")
if [ $# -eq 0 ]; then
  engines=(torch jax tensorflow keras autograd paddle tinygrad mlx mygrad pytensor casadi)
fi
declare -A pins=(
  [torch]="torch==2.15.0 numpy==2.5.5"
  [jax]="jax==0.12.0.1 jaxlib==0.12.0.1 numpy==2.5.5"
  [tensorflow]="tensorflow-cpu==2.21.0"
  [keras]="keras==3.15.1 tensorflow-cpu==2.21.0"
  [autograd]="autograd==1.9.1 numpy==2.5.5 scipy==1.18.1"
  [paddle]="paddlepaddle==3.3.1"
  [tinygrad]="tinygrad==0.14.0 numpy==2.5.5"
  [mlx]="mlx[cpu]==0.32.4 numpy==2.5.5"
  [mygrad]="mygrad==2.5.0 numpy==2.5.5"
  [pytensor]="pytensor==3.3.8"
  [casadi]="casadi==3.8.2 numpy==2.5.5"
)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for engine in "${engines[@]}"; do
  env=$folder/env
  rm -rf "$env"
  if "${PYTHON:-python3.12}" -m venv "$env" \
    && "$env/bin/pip" install --quiet ${pins[$engine]:?"no such engine: $engine"} \
    && timeout 600 "$env/bin/python" "ask_$engine.py" \
      >"$folder/$engine.out" 2>"$folder/$engine.err"; then
    mv "$folder/$engine.out" "$folder/$engine.json"
    echo "$engine: asked"
  else
    echo "$engine: does not install or run here; its stored column stays"
    tail -n 1 "$folder/$engine.err" 2>/dev/null
  fi
done
shopt -s nullglob
"${COURSE:-python3}" merge.py "$folder"/*.json
