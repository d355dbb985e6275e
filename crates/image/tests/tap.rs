//! Images byte for byte, and images that are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use capstan_image::tap::{END_OF_MEDIUM, FILEMARK, Frame, Object, Reader, TapError, UNREADABLE, Want};

const LIMIT: u32 = 8 << 20;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Found {
    Block(Vec<u8>),
    Bad(u64, Vec<u8>),
    Filemark,
}

fn read(image: &[u8]) -> (Vec<Found>, Result<u64, TapError>) {
    let mut reader = Reader::new(image.len() as u64, LIMIT);
    let mut found = Vec::new();
    loop {
        let bytes = match reader.want() {
            Ok(Want::Nothing) => return (found, Ok(reader.passed_over())),
            Ok(Want::Bytes { offset, length }) => {
                let offset = usize::try_from(offset).unwrap();
                &image[offset..offset + length as usize]
            }
            Err(error) => return (found, Err(error)),
        };
        match reader.take(bytes) {
            Ok(None) => {}
            Ok(Some(Object::Block(data))) => found.push(Found::Block(data.to_vec())),
            Ok(Some(Object::Bad { offset, data })) => found.push(Found::Bad(offset, data.to_vec())),
            Ok(Some(Object::Filemark)) => found.push(Found::Filemark),
            Err(error) => return (found, Err(error)),
        }
    }
}

fn block(data: &[u8]) -> Vec<u8> {
    let frame = Frame::new(u32::try_from(data.len()).unwrap());
    [frame.before(), data, frame.after()].concat()
}

/// A record as the document has it, whatever its class.
fn record(class: u32, data: &[u8]) -> Vec<u8> {
    let marker = (class << 28 | u32::try_from(data.len()).unwrap()).to_le_bytes();
    [&marker[..], data, &[0; 1][..data.len() % 2], &marker].concat()
}

fn marker(value: u32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

#[test]
fn what_is_written_is_what_the_document_says() {
    assert_eq!(block(b"even"), b"\x04\0\0\0even\x04\0\0\0");
    assert_eq!(block(b"odd"), b"\x03\0\0\0odd\0\x03\0\0\0");
    assert_eq!(Frame::new(LIMIT).before(), b"\0\0\x80\0");
    assert_eq!(FILEMARK, [0; 4]);
    assert_eq!(END_OF_MEDIUM, [0xff; 4]);
    assert_eq!(UNREADABLE, [0, 0, 0, 0x80, 0, 0, 0, 0x80]);
}

#[test]
fn a_tape_is_read_to_the_end_of_medium_or_of_the_file() {
    let tape = [block(b"one"), block(b"four"), FILEMARK.to_vec(), FILEMARK.to_vec(), UNREADABLE.to_vec()].concat();
    let bad_at = (4 + 4 + 4) + (4 + 4 + 4) + 8;
    let expected = vec![
        Found::Block(b"one".to_vec()),
        Found::Block(b"four".to_vec()),
        Found::Filemark,
        Found::Filemark,
        Found::Bad(bad_at, Vec::new()),
    ];
    assert_eq!(read(&tape), (expected.clone(), Ok(0)));
    let ended = [&tape[..], &END_OF_MEDIUM, b"anything"].concat();
    assert_eq!(read(&ended), (expected, Ok(0)));
    assert_eq!(read(&[]), (Vec::new(), Ok(0)));
}

#[test]
fn erased_tape_and_what_is_not_on_the_tape_is_passed_over() {
    let tape = [
        marker(0xFFFF_FFFE),
        record(1, b"private"),
        block(b"a block"),
        marker(0x7123_4567),
        record(0xE, b"a description"),
        record(9, b""),
        marker(0xF000_0000),
        marker(0xFFFD_FFFF),
        record(8, b"bad"),
        marker(0),
    ]
    .concat();
    let bad_at = u64::try_from(tape.len()).unwrap() - 4 - 12;
    let expected = vec![Found::Block(b"a block".to_vec()), Found::Bad(bad_at, b"bad".to_vec()), Found::Filemark];
    assert_eq!(read(&tape), (expected, Ok(6)));
}

#[test]
fn after_half_of_an_erase_gap_reading_goes_on_where_it_ends() {
    // A record of 6 bytes over a gap of three markers leaves one and a half of them.
    let mut tape = marker(0xFFFF_FFFE).repeat(5);
    tape[..14].copy_from_slice(&block(b"over i"));
    tape.extend(block(b"after"));
    assert_eq!(tape[14..18], [0xff, 0xff, 0xfe, 0xff]);
    let expected = vec![Found::Block(b"over i".to_vec()), Found::Block(b"after".to_vec())];
    assert_eq!(read(&tape), (expected, Ok(0)));
}

#[test]
fn what_is_no_image_is_refused_with_its_place() {
    let good = block(b"first");
    let at = u64::try_from(good.len()).unwrap();
    let cases: [(Vec<u8>, String); 9] = [
        (vec![1, 2], format!("byte {at}: a marker of 4 bytes was expected, and the file ends at byte {}", at + 2)),
        (
            block(b"second!!")[..11].to_vec(),
            format!(
                "byte {at}: a record of 8 bytes was expected to end at byte {}, and the file ends at byte {}",
                at + 16,
                at + 11
            ),
        ),
        (
            marker(0x0080_0001),
            format!("byte {at}: a record of 8388609 bytes, and a block of at most 8388608 was expected"),
        ),
        (
            marker(0x8FFF_FFFF),
            format!("byte {at}: a record of 268435455 bytes, and a block of at most 8388608 was expected"),
        ),
        (
            marker(0x1FFF_FFFF),
            format!(
                "byte {at}: a record of 268435455 bytes was expected to end at byte {}, and the file ends at byte {}",
                at + 268_435_464,
                at + 4
            ),
        ),
        (
            [marker(4), b"data".to_vec(), marker(5)].concat(),
            format!(
                "byte {}: the marker after the record that begins at byte {at} is 0x00000005, and 0x00000004 was \
                 expected",
                at + 8
            ),
        ),
        (
            [marker(0x1000_0004), b"data".to_vec(), marker(4)].concat(),
            format!(
                "byte {}: the marker after the record that begins at byte {at} is 0x00000004, and 0x10000004 was \
                 expected",
                at + 8
            ),
        ),
        (
            [marker(3), b"odd".to_vec(), marker(3), marker(0)].concat(),
            format!(
                "byte {}: a byte was expected that makes the 3 bytes of the record an even number; images without it \
                 are of another format (E11)",
                at + 7
            ),
        ),
        (marker(0xFFFE_0000), format!("byte {at}: a record or a marker was expected, and 0xfffe0000 is neither")),
    ];
    for (bytes, expected) in cases {
        let (found, ended) = read(&[good.clone(), bytes].concat());
        assert_eq!(found, [Found::Block(b"first".to_vec())]);
        assert_eq!(ended.unwrap_err().to_string(), expected);
    }
}

#[test]
fn bytes_that_are_not_those_that_were_wanted_are_not_taken() {
    let mut reader = Reader::new(100, LIMIT);
    assert_eq!(reader.take(&[4, 0, 0]), Err(TapError::Short { offset: 0, wanted: 4, got: 3 }));
    assert_eq!(reader.take(&[4, 0, 0, 0]), Ok(None));
    assert_eq!(reader.want(), Ok(Want::Bytes { offset: 4, length: 8 }));
    assert_eq!(reader.take(b"data"), Err(TapError::Short { offset: 4, wanted: 8, got: 4 }));
}
