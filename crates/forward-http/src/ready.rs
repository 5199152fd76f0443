//! A call whose body has the form in which it goes out: held and rewritten where its provider or its credential needs that.

use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::Bytes;
use forward::{Body, Call, ForwardError, Head, Share};

use crate::{
    Wire,
    held::{Memory, of_pieces},
    prepared::Prepared,
    splice::spliced,
};

/// A call that can be sent.
pub(crate) struct Ready {
    pub(crate) head: Head,
    pub(crate) body: Body,
    /// The body's SHA-256, where it was held to be signed.
    pub(crate) digest: Option<[u8; 32]>,
    /// The memory of a body that was held: as long as it may have to be sent again.
    pub(crate) held: Option<Arc<Share>>,
}

impl Ready {
    /// As it came, where nothing needs it whole: the splices are made as it passes.
    pub(crate) async fn of(
        call: Call,
        prepared: &Prepared,
        wire: &impl Wire,
        memory: &Memory,
    ) -> Result<Self, ForwardError> {
        let Call { mut head, body } = call;
        let rewrites = wire.rewrites(&head, &prepared.target);
        let signs = prepared.route.credential.signing_key().is_some();
        if !rewrites && !signs {
            return Ok(Self { head, body, digest: None, held: None });
        }
        let model = wire.model(&prepared.target);
        let (body, length) = spliced(body, head.content_length, &head.splices, model)?;
        let (body, share) = memory.hold(body, length, head.limits.total).await?;
        head.splices.clear();
        let pieces = if rewrites { wire.rewrite(&head, &prepared.target, body)? } else { vec![body] };
        head.content_length = Some(pieces.iter().map(|piece| piece.len() as u64).sum());
        let held = Arc::new(share);
        let digest = signs.then(|| sha256(&pieces));
        Ok(Self { head, body: of_pieces(pieces, Arc::clone(&held)), digest, held: Some(held) })
    }
}

/// The hash of a body that is there in pieces.
pub(crate) fn sha256(pieces: &[Bytes]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for piece in pieces {
        context.update(piece);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
