#!/bin/bash
# Makes the programs of Docker 29 from the Go modules of Moby, containerd and runc, and prints the folder that holds them.
# Minutes the first time, nothing the next. Wants root, Go 1.24 or newer, and a C compiler; Debian's libseccomp-dev and pkg-config are
# installed where missing. LUET_TS_DOCKER_29 names another folder.
set -euo pipefail
home=${LUET_TS_DOCKER_29:-/var/lib/luet-ts/docker-29-programs}
bin=$home/bin
moby=v2.0.0-beta.24
containerd=v2.2.0
runc=v1.4.0

complete() {
  local program
  for program in runc containerd containerd-shim-runc-v2 docker-proxy dockerd; do
    [ -x "$bin/$program" ] || return 1
  done
}

# compile NAME VERSION CGO TAGS PACKAGE…: main packages of one module, with the versions that module itself asks for
compile() {
  local work=$home/src/$1 version=$2 cgo=$3 tags=$4
  shift 4
  mkdir -p "$work"
  cd "$work"
  [ -f go.mod ] || go mod init luet-ts/engine 2>/dev/null
  go get "${@/%/@$version}"
  CGO_ENABLED=$cgo go build -trimpath -tags "$tags" -ldflags '-s -w' -o "$bin/" "$@"
}

make_all() {
  complete && return
  for tool in go gcc; do
    if ! command -v $tool >/dev/null; then
      echo "Docker 29 is made from source here, and $tool is missing: install Go 1.24 or newer and gcc first." >&2
      exit 1
    fi
  done
  if ! { command -v pkg-config && pkg-config --exists libseccomp && command -v iptables && command -v ip; } >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends libseccomp-dev pkg-config iptables iproute2
  fi
  mkdir -p "$bin"
  [ -x "$bin/runc" ] || compile runc $runc 1 seccomp github.com/opencontainers/runc
  [ -x "$bin/containerd-shim-runc-v2" ] ||
    compile containerd $containerd 0 '' github.com/containerd/containerd/v2/cmd/{containerd,containerd-shim-runc-v2}
  [ -x "$bin/dockerd" ] || compile moby $moby 0 '' github.com/moby/moby/v2/cmd/{docker-proxy,dockerd}
}

mkdir -p "$home"
exec 9>"$home/lock"
flock 9
make_all >&2
echo "$bin"
