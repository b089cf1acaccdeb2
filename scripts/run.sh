#!/bin/sh
# Runs a script of this folder on Node 24, with the dependencies as package-lock.json says: sh scripts/run.sh NAME.ts [ARGUMENT…]
# Works before `npm ci` was ever run, on any Node that has npm, from any folder.
set -eu
home=$(CDPATH='' cd -- "${0%/*}/.." && pwd)

# Made by `npm ci` and `npm install` through the script that bundles (scripts/bundle.ts).
current() { cmp -s "$home/package-lock.json" "$home/node_modules/.luet-ts-lock"; }

install() {
  if ! command -v npm >/dev/null 2>&1; then
    echo "Needs Node 20 or newer with npm, which this machine does not have: install them first." >&2
    exit 1
  fi
  echo "Dependencies: npm ci, which fetches about 100 MB and may take some minutes" >&2
  # npm itself shows nothing where its output is no terminal. What goes on sleeping at the end holds neither the lock nor an output.
  (
    passed=0
    while sleep 10 >/dev/null 2>&1; do
      passed=$((passed + 10))
      size=$(du -sm "$home/node_modules" 2>/dev/null | cut -f1) || size=
      echo "Dependencies: ${size:-0} MB of about 360 in node_modules after $passed s" >&2
    done
  ) 9>&- &
  ticker=$!
  trap 'kill $ticker 2>/dev/null || :' EXIT
  # Whatever the surroundings say, the development and the optional dependencies are needed here.
  (cd "$home" && NODE_ENV='' npm ci --include=dev --include=optional --no-audit --no-fund --loglevel=error >&2)
  kill $ticker 2>/dev/null || :
  trap - EXIT
  # Where install scripts are turned off, nothing was bundled and marked.
  current || cp "$home/package-lock.json" "$home/node_modules/.luet-ts-lock"
}

if ! current; then
  # One at a time: `npm ci` begins by removing what another one is still writing.
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$home/.npm-ci.lock"
    flock 9
    current || install
    exec 9>&-
  else
    install
  fi
fi

. "$home/bin/find-node"
if [ -z "$node" ]; then
  echo "Needs Node 24 or newer, and the PATH has ${version}; for Linux on x64 and arm64 'npm ci' brings it." >&2
  exit 1
fi
script=$1
shift
# Programs that the script starts find this Node first, and proxies of the environment are used.
PATH=$home/node_modules/.bin:$PATH NODE_USE_ENV_PROXY=1 exec "$node" "$home/scripts/$script" "$@"
