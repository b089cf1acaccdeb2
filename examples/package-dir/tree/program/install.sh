#!/bin/sh
# Stands for `make install`: install.sh DESTDIR=FOLDER
set -eu
root=${1#DESTDIR=}
mkdir -p "$root/usr/bin" "$root/usr/share/doc/program"
printf '#!/bin/sh\necho program\n' >"$root/usr/bin/program"
chmod 755 "$root/usr/bin/program"
echo "How to use it" >"$root/usr/share/doc/program/README"
