//! A cartridge from a SIMH `.tap` image.

use capstan_image::tap::{Object, Reader, Want};
use capstan_media::MAX_BLOCK_LENGTH;

use super::input::Input;
use super::laying::Laying;
use crate::jobs::transfer::{TransferError, Watch, tell};

/// Bytes of the image after which it is said how far it is.
const STEP: u64 = 4 << 20;

/// Lays down what an image holds.
pub(super) fn lay(
    laying: &mut Laying<'_>,
    mut input: Input,
    skip_errors: bool,
    watch: Watch<'_>,
) -> Result<(), TransferError> {
    let total = input.length();
    let mut reader = Reader::new(total, MAX_BLOCK_LENGTH);
    let path = input.path().to_owned();
    let no_image = |source| TransferError::Tap { path: path.clone(), source };
    let mut told = 0;
    while let Want::Bytes { offset, length } = reader.want().map_err(no_image)? {
        let bytes = input.bytes(offset, length)?;
        match reader.take(bytes).map_err(no_image)? {
            None => {}
            Some(Object::Block(data)) => laying.block(data)?,
            Some(Object::Filemark) => laying.filemarks(1)?,
            Some(Object::Bad { .. }) if skip_errors => laying.left_out(1),
            Some(Object::Bad { offset, .. }) => return Err(TransferError::Bad { path, offset }),
        }
        if reader.offset().saturating_sub(told) >= STEP {
            told = reader.offset();
            tell(watch, told, total)?;
            laying.give_way(&mut |_| tell(watch, told, total))?;
        }
    }
    Ok(())
}
