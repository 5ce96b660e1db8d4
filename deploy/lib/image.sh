# The runner image, $VVE_IMAGE: the base, the supervisor, warm.py. It is made again only when one
# of its inputs changed: a label holds their checksum.
# shellcheck shell=bash

export VVE_IMAGE=${VVE_IMAGE:-vve-runner:latest}

image_inspect() {
    docker image inspect -f "$1" "$2" 2>/dev/null
}

# image_ensure BUILD: takes the supervisor from the CMake tree BUILD.
image_ensure() {
    local supervisor=$1/bin/vve-supervisor warm=$root/src/run/warm.py base inputs old
    base_ensure
    base=$(base_name)
    inputs=$({
        image_inspect '{{.Id}}' "$base"
        cat "$supervisor" "$warm" "$root/Dockerfile.runner"
    } | sha256sum | cut -d ' ' -f 1)
    if [[ $(image_inspect '{{index .Config.Labels "vve.inputs"}}' "$VVE_IMAGE") == "$inputs" ]]; then
        return 0
    fi
    old=$(image_inspect '{{.Id}}' "$VVE_IMAGE" || true)
    image_build "$1/image" "$supervisor" "$warm" "$base" "$inputs"
    # In use by a container, or under another name: then it stays.
    [[ -z $old ]] || docker image rm "$old" || true
}

image_build() {
    local context=$1 supervisor=$2 warm=$3 base=$4 inputs=$5
    rm -rf "$context"
    mkdir -p "$context"
    install -m 755 "$supervisor" "$context/vve-supervisor"
    install -m 644 "$warm" "$context/warm.py"
    docker build --build-arg "BASE=$base" --label "vve.inputs=$inputs" --tag "$VVE_IMAGE" \
        --file "$root/Dockerfile.runner" "$context"
}
