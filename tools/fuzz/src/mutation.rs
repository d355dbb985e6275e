//! New inputs from old ones.

use crate::random::Random;

/// Bytes that are at the edge of something.
const EDGES: [u8; 10] = [0, 1, 2, 0x10, 0x20, 0x40, 0x7f, 0x80, 0xfe, 0xff];

/// An input: a mutated entry of the corpus, two of them spliced, or new bytes.
pub(crate) fn generate(random: &mut Random, corpus: &[Vec<u8>], longest: usize) -> Vec<u8> {
    let mut input = match corpus {
        [] => fresh(random, longest),
        _ if random.once_in(8) => fresh(random, longest),
        _ => corpus[random.below(corpus.len())].clone(),
    };
    if !corpus.is_empty() && random.once_in(6) {
        let other = random.below(corpus.len());
        splice(random, &mut input, &corpus[other]);
    }
    let most = 1 << random.below(5);
    for _ in 0..1 + random.below(most) {
        mutate(random, &mut input);
    }
    input.truncate(longest);
    input
}

/// Bytes of which many are small: they are numbers of actions more often than data.
fn fresh(random: &mut Random, longest: usize) -> Vec<u8> {
    let length = random.below(longest) + 1;
    let small = random.once_in(2);
    (0..length).map(|_| if small && !random.once_in(4) { random.byte() & 0x1f } else { random.byte() }).collect()
}

fn splice(random: &mut Random, input: &mut Vec<u8>, other: &[u8]) {
    input.truncate(random.below(input.len() + 1));
    input.extend_from_slice(&other[random.below(other.len() + 1)..]);
}

fn mutate(random: &mut Random, input: &mut Vec<u8>) {
    if input.is_empty() {
        input.push(random.byte());
        return;
    }
    let at = random.below(input.len());
    let end = (at + 1 + random.below(16)).min(input.len());
    match random.below(9) {
        0 => input[at] ^= 1 << random.below(8),
        1 => input[at] = random.byte(),
        2 => input[at] = EDGES[random.below(EDGES.len())],
        3 => input[at] = input[at].wrapping_add(if random.once_in(2) { 1 } else { 0xff }),
        4 => input.insert(at, random.byte()),
        5 => drop(input.drain(at..end)),
        6 => {
            let copy = input[at..end].to_vec();
            let to = random.below(input.len());
            input.splice(to..to, copy);
        }
        7 => {
            let copy = input[at..end].to_vec();
            let to = random.below(input.len() - copy.len() + 1);
            input[to..to + copy.len()].copy_from_slice(&copy);
        }
        _ => input.truncate(at + 1),
    }
}
