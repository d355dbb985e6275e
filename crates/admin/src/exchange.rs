//! Cartridges that go to other gateways and come from them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use capstan_api as api;
use capstan_library::Librarian;
use capstan_media::Barcode;
use capstan_mover::ForeignTape;

use crate::problem::Problem;
use crate::routes::{Admin, barcode, parse};

type Answer<T> = Result<Json<T>, Problem>;

/// A cartridge that is set aside, and is kept after all if nothing comes of it.
struct Aside {
    librarian: Librarian,
    barcode: Barcode,
    goes: bool,
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.goes {
            let (librarian, barcode) = (self.librarian.clone(), self.barcode.clone());
            tokio::spawn(async move { librarian.keep(barcode).await });
        }
    }
}

/// The cartridges of other gateways.
pub(crate) async fn foreign(State(admin): State<Admin>) -> Answer<Vec<api::ForeignTape>> {
    Ok(Json(admin.mover()?.foreign().await?.into_iter().map(view).collect()))
}

/// Gives a cartridge away: all of it is in the tier before it leaves its slot.
pub(crate) async fn hand_over(State(admin): State<Admin>, Path(text): Path<String>, body: Bytes) -> Answer<api::Done> {
    let api::HandOverTape { to } = parse(&body)?;
    let (mover, barcode) = (admin.mover()?, barcode(&text)?);
    let id = admin.librarian.set_aside(barcode.clone()).await?;
    let mut aside = Aside { librarian: admin.librarian.clone(), barcode: barcode.clone(), goes: false };
    mover.hand_over(id, to.as_deref()).await?;
    aside.goes = true;
    admin.librarian.let_go(barcode).await?;
    Ok(Json(api::Done {}))
}

/// Takes a cartridge over and puts it into a slot.
pub(crate) async fn adopt(State(admin): State<Admin>, Path(text): Path<String>, body: Bytes) -> Answer<api::Tape> {
    let api::AdoptTape { slot, force } = parse(&body)?;
    let (mover, barcode) = (admin.mover()?, barcode(&text)?);
    admin.librarian.room_for(barcode.clone(), slot).await?;
    let adopted = mover.adopt(&barcode, force).await?;
    Ok(Json(admin.tape(&admin.librarian.take_in(adopted.facts, slot).await?)))
}

fn view(tape: ForeignTape) -> api::ForeignTape {
    api::ForeignTape {
        barcode: tape.barcode.to_string(),
        id: tape.id.to_string(),
        owner: tape.owner.to_string(),
        owner_name: tape.owner_name,
        size: tape.size,
        used: tape.used,
        written: tape.written / 1000,
        handed_over: tape.handed_over.is_some(),
        handed_over_to: tape.handed_over.flatten().map(|to| to.to_string()),
        problem: tape.problem,
    }
}
