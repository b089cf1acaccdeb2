#!/bin/sh
# Builds each package of a tree as a job of its own; the jobs share nothing but a registry. Usually each job runs on a machine
# of its own: job() is what such a machine does.
#   TREE        folder of the tree
#   REPOSITORY  registry.example.org/team/cache
#   LUET        luet-ts, or a path to it
set -eu
LUET=${LUET:-luet-ts}

# A line for each package: its name as a tag, and its name for the command line. jq does that in one line, where it is installed:
#   jq -r '.packages[] | "\(.name)-\(.category)-\(.version) \(.category)/\(.name)"'
matrix() {
  "$LUET" tree pkglist --tree "$TREE" -o json | node -e '
    const { packages } = JSON.parse(require("fs").readFileSync(0, "utf8"));
    for (const { name, category, version } of packages)
      console.log(`${name}-${category}-${version}`.replaceAll("+", "-"), `${category}/${name}@${version}`);
  '
}

job() {
  if "$LUET" util image-exist "$REPOSITORY:$1"; then
    echo "$2 is there"
  else
    "$LUET" build --tree "$TREE" --destination out --only-target-package --pull --push --image-repository "$REPOSITORY" \
      --push-final-images --backend-args --load --live-output --no-spinner "$2"
  fi
}

# Packages in a variable, and not in a pipe: a job that fails ends the pipeline.
packages=$(matrix)
while read -r tag package; do
  job "$tag" "$package"
done <<END
$packages
END

# All metadata in one folder, as the index of a repository is made of.
while read -r tag package; do
  "$LUET" util unpack "$REPOSITORY:$tag.metadata.yaml" build
done <<END
$packages
END
