//! The state of the library on its way to the tier: what is in which slot, so that a machine that is lost can be made
//! again as it was.
//!
//! Whoever changes the library leaves the newest state in a channel of one place and waits for nobody. An object is created
//! for the newest of every few seconds, under the number of its change. A tier that has a higher one, or another one under
//! ours, has seen a later life of this library: this one is an older copy, and ships no state any more.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::MoverError;
use crate::notice::NoticeKind;
use crate::place::Placed;
use crate::ship::Dock;

/// States that stay in the tier.
const KEPT: usize = 8;

/// The state of a library after a change of it. Encoded as `docs/format/library-state-v1.md` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LibraryImage {
    /// Number of the change.
    pub change: u64,
    /// The state.
    pub bytes: Bytes,
}

/// Where the newest state is found; `None` before there is one.
pub type LibraryImages = watch::Receiver<Option<LibraryImage>>;

/// What came of shipping one.
enum Shipped {
    Done,
    /// The tier has seen a later life of this library: how that shows.
    Fenced(String),
}

/// Ships the states of a library until there are none any more.
pub(crate) async fn ship_library(dock: Arc<Dock>, mut images: LibraryImages) {
    let mut there = None;
    let mut told = None;
    loop {
        let image = images.borrow_and_update().clone();
        if let Some(image) = image {
            while !dock.may_ship() {
                sleep(dock.rules.look_every).await;
            }
            match dock.ship_image(&image, &mut there).await {
                Ok(Shipped::Done) => told = None,
                Ok(Shipped::Fenced(how)) => return dock.fence_library(&how),
                Err(error) => {
                    let text = format!("the state of the library is not in the tier: {error}");
                    if told.as_ref() != Some(&text) {
                        dock.listener.tell(NoticeKind::NotShipped, None, text.clone());
                    }
                    told = Some(text);
                    sleep(dock.rules.try_again).await;
                    images.mark_changed();
                }
            }
            sleep(dock.rules.library_every).await;
        }
        if images.changed().await.is_err() {
            return;
        }
    }
}

impl Dock {
    /// Ships one. `there`: the changes whose states are in the tier, once that is known.
    async fn ship_image(&self, image: &LibraryImage, there: &mut Option<BTreeSet<u64>>) -> Result<Shipped, MoverError> {
        let gateway = self.writer.gateway;
        let known = match there {
            Some(known) => known,
            None => there.insert(self.listed_states().await?),
        };
        if let Some(newer) = known.last().filter(|last| **last > image.change) {
            return Ok(Shipped::Fenced(format!(
                "change {newer} of it is there, and {} is the last here",
                image.change
            )));
        }
        let key = self.names.library_state(gateway, image.change);
        // Nothing in it is random: what is not these bytes is somebody else's.
        if let Placed::Other(_) = self.link.place(&key, &image.bytes, &[], self.reads_back()).await? {
            return Ok(Shipped::Fenced(format!("{key} is there, and is not what change {} was here", image.change)));
        }
        known.insert(image.change);
        while known.len() > KEPT {
            let Some(oldest) = known.first().copied() else { break };
            self.link.delete(&self.names.library_state(gateway, oldest)).await?;
            known.remove(&oldest);
        }
        Ok(Shipped::Done)
    }

    async fn listed_states(&self) -> Result<BTreeSet<u64>, MoverError> {
        let (gateway, mut found, mut after) = (self.writer.gateway, BTreeSet::new(), None);
        loop {
            let page = self.link.list(&self.names.library_states(gateway), after.as_deref()).await?;
            let numbers = page.objects.iter().filter_map(|it| self.names.parse_library_state(gateway, &it.key));
            found.extend(numbers);
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    fn fence_library(&self, how: &str) {
        let text = format!(
            "this state directory is an older copy of the library in the tier ({how}): nothing of what is moved here is \
             recorded there. Stop it if the newer one runs; cartridges that it has written to are fenced here"
        );
        self.notes().push(text.clone());
        self.listener.tell(NoticeKind::LibraryFenced, None, text);
    }
}
