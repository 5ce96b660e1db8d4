# The runner image, $VVE_IMAGE: the base, the supervisor, warm.py. It is made again only when one
# of its inputs changed: a label holds their checksum.
# shellcheck shell=bash

export VVE_IMAGE=${VVE_IMAGE:-vve-runner:latest}

image_inspect() {
    docker image inspect -f "$1" "$2" 2>/dev/null
}

# image_stage BUILD: gathers what it is made of in BUILD/image, the supervisor from that CMake tree.
image_stage() {
    mkdir -p "$1/image"
    install -m 755 "$1/bin/vve-supervisor" "$1/image"
    install -m 644 "$root/src/run/warm.py" "$root/Dockerfile.runner" "$1/image"
}

# image_ensure FOLDER: the three files are in FOLDER.
image_ensure() {
    local folder=$1 base inputs old
    base_ensure
    base=$(base_name)
    inputs=$({
        image_inspect '{{.Id}}' "$base"
        cat "$folder"/{vve-supervisor,warm.py,Dockerfile.runner}
    } | sha256sum | cut -d ' ' -f 1)
    if [[ $(image_inspect '{{index .Config.Labels "vve.inputs"}}' "$VVE_IMAGE") == "$inputs" ]]; then
        return 0
    fi
    old=$(image_inspect '{{.Id}}' "$VVE_IMAGE" || true)
    docker build --build-arg "BASE=$base" --label "vve.inputs=$inputs" --tag "$VVE_IMAGE" \
        --file "$folder/Dockerfile.runner" "$folder"
    # In use by a container, or under another name: then it stays.
    [[ -z $old ]] || docker image rm "$old" || true
}
