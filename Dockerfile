# The image in which CI pipelines run luet-ts. The command is made by `npm ci` outside; nothing is fetched here.
#
#   npm ci
#   docker build -t luet-ts .
#
# Where no base can be pulled, one is made first (as root, with Debian's mmdebstrap):
#
#   mmdebstrap --variant=apt bookworm - | docker import - luet-ts/debian:12
#   docker build --build-arg BASE=luet-ts/debian:12 -t luet-ts .
#
# A build inside it uses an engine outside:
#
#   docker run --rm -v /var/run/docker.sock:/var/run/docker.sock -v "$PWD:/work" luet-ts \
#     luet-ts build --tree tree --all --destination out
#
# With `--pid host -v /var/lib/docker:/var/lib/docker` it also reads changes from the disk, which is faster on
# large ones.
ARG BASE=debian:12-slim
FROM ${BASE}
COPY . /opt/luet-ts/
RUN ln -s /opt/luet-ts/bin/luet-ts /usr/local/bin/luet-ts
# A first run compiles; the later ones find that done.
ENV NODE_COMPILE_CACHE=/var/cache/luet-ts
RUN luet-ts --version && luet-ts build --help >/dev/null
WORKDIR /work
CMD ["luet-ts", "--help"]
