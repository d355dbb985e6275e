//! SIMH `.tap` images, and lines of the index of a directory of tape files, from any bytes.
//!
//! Invariants: what a writer writes is read as it was; from any bytes a reader wants only bytes that the image has, goes
//! forwards with each marker and record, ends, and allocates nothing; what it reads, written again, is read the same.

use capstan_image::index::Line;
use capstan_image::tap::{END_OF_MEDIUM, FILEMARK, Frame, Object, Reader, TapError, UNREADABLE, Want};

use crate::memory::peak_of;
use crate::script::Script;

/// Shorter than inputs, so that records can be too long.
const LIMIT: u32 = 200;

pub(crate) fn target(data: &[u8]) {
    let mut script = Script::new(data);
    match script.byte() % 4 {
        0 => {
            let tape = tape(&mut script);
            assert_eq!(read(&image(&tape)), (tape, Ok(())), "another tape than was written");
        }
        1 => {
            let mut image = image(&tape(&mut Script::new(data)));
            while !script.is_over() {
                let at = script.below(image.len());
                image[at] ^= script.byte();
            }
            any(&image);
        }
        2 => line(script.rest()),
        _ => any(script.rest()),
    }
}

/// An object of a tape; `None` is a filemark, an error a block of which nothing could be read.
type Thing = Option<Result<Vec<u8>, ()>>;

fn tape(script: &mut Script<'_>) -> Vec<Thing> {
    let count = script.below(20);
    let thing = |_| match script.byte() % 4 {
        0 => None,
        1 => Some(Err(())),
        _ => {
            let length = 1 + script.below(40);
            let mut block = script.take(length).to_vec();
            block.resize(length, 7);
            Some(Ok(block))
        }
    };
    (0..count).map(thing).collect()
}

fn image(tape: &[Thing]) -> Vec<u8> {
    let mut image = Vec::new();
    for thing in tape {
        match thing {
            None => image.extend(FILEMARK),
            Some(Err(())) => image.extend(UNREADABLE),
            Some(Ok(block)) => {
                let frame = Frame::new(u32::try_from(block.len()).unwrap());
                image.extend_from_slice(frame.before());
                image.extend_from_slice(block);
                image.extend_from_slice(frame.after());
            }
        }
    }
    image.extend(END_OF_MEDIUM);
    image
}

/// Any bytes: what is read of them, written and read again, is the same.
fn any(bytes: &[u8]) {
    let (tape, _) = read(bytes);
    assert_eq!(read(&image(&tape)), (tape, Ok(())));
}

fn read(image: &[u8]) -> (Vec<Thing>, Result<(), TapError>) {
    let mut reader = Reader::new(image.len() as u64, LIMIT);
    let mut tape = Vec::new();
    let mut before = (0, 0);
    loop {
        let (step, peak) = peak_of(|| step(&mut reader, image));
        assert_eq!(peak, 0, "reading an image takes no memory");
        match step {
            Ok(None) => return (tape, Ok(())),
            Ok(Some((at, object))) => {
                assert!(at > before, "it goes forwards: {at:?} after {before:?}");
                before = at;
                tape.extend(object.map(|object| match object {
                    Object::Block(data) => Some(Ok(data.to_vec())),
                    Object::Bad { offset, .. } => {
                        assert!(offset < image.len() as u64);
                        Some(Err(()))
                    }
                    Object::Filemark => None,
                }));
            }
            Err(error) => return (tape, Err(error)),
        }
    }
}

type Step<'a> = ((u64, u64), Option<Object<'a>>);

/// One exchange; `None` at the end.
fn step<'a>(reader: &mut Reader, image: &'a [u8]) -> Result<Option<Step<'a>>, TapError> {
    let Want::Bytes { offset, length } = reader.want()? else { return Ok(None) };
    assert!(length <= LIMIT + 5, "{length} bytes at once");
    let begin = usize::try_from(offset).unwrap();
    let object = reader.take(&image[begin..begin + length as usize])?;
    Ok(Some(((reader.offset(), offset + u64::from(length)), object)))
}

fn line(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(line) = Line::parse(text) {
        assert_eq!(Line::parse(&line.to_string()), Some(line));
    }
}
