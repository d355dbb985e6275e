# The changer in mtx's words. Sourced after initiator.sh.

# Every element on a line: `drive 0 empty`, `drive 1 CAP002L8 from 2`, `slot 1 CAP001L8`, `io 101 empty`.
inventory() {
    mtx -f "$CHANGER" status | sed -En '
        s/ +$//
        s/^Data Transfer Element ([0-9]+):Empty$/drive \1 empty/p
        s/^Data Transfer Element ([0-9]+):Full \(Storage Element ([0-9]+) Loaded\):VolumeTag = (.*)$/drive \1 \3 from \2/p
        s/^ *Storage Element ([0-9]+):Empty(:VolumeTag=)?$/slot \1 empty/p
        s/^ *Storage Element ([0-9]+):Full :VolumeTag=(.*)$/slot \1 \2/p
        s/^ *Storage Element ([0-9]+) IMPORT.EXPORT:Empty(:VolumeTag=)?$/io \1 empty/p
        s/^ *Storage Element ([0-9]+) IMPORT.EXPORT:Full :VolumeTag=(.*)$/io \1 \2/p'
}

# The elements that hold a cartridge.
full() {
    inventory | grep -v ' empty$'
}

load() {
    mtx -f "$CHANGER" load "$1" "$2" >/dev/null
}

unload() {
    mtx -f "$CHANGER" unload "$1" "$2" >/dev/null
}

# The ten cartridges of a new library, one a line.
ten_in_slots() {
    local slot
    for slot in $(seq 10); do
        printf 'slot %d CAP%03dL8\n' "$slot" "$slot"
    done
}
