//! A provider that reads slowly slows the client down: nothing is piled up in between.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream as streams};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use provider_sim::{Match, Script};

use crate::house::{FACES, House, unary, whole};

const PIECE: usize = 64 * 1024;
const PIECES: usize = 320;
/// What may be on its way in bytes: the system's buffers of both ends of a socket (4 MiB and 6 MiB at most where nobody
/// changed `tcp_wmem` and `tcp_rmem`) or the provider's HTTP/2 window of 1 MiB, and a few pieces.
const AHEAD_MAX: usize = 11 * 1024 * 1024;
/// Turns of this test's one thread, in each of which a connection could take another piece: enough for all of them.
const TURNS: usize = 50 * PIECES;

#[tokio::test(flavor = "current_thread")]
async fn twenty_megabytes_wait_for_a_slow_provider() {
    for face in FACES {
        let house = House::open(face).await;
        house.sim.script(Match::any(), Script::default().gate_reads("read"));
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&taken);
        let piece = Bytes::from(vec![b'x'; PIECE]);
        let pieces = streams::iter(0..PIECES).map(move |_| {
            counted.fetch_add(PIECE, Ordering::Relaxed);
            Ok(Frame::data(piece.clone()))
        });
        let mut call = unary(StreamBody::new(pieces).boxed_unsync());
        call.head.content_length = Some((PIECES * PIECE) as u64);
        let gate = house.sim.gate("read");
        let watching = async {
            // A read takes 16 KiB or a little more: what the provider has read by the end of this is little.
            for reads in 1..=4 {
                gate.reached(reads).await.unwrap();
                for _ in 0..TURNS {
                    tokio::task::yield_now().await;
                }
                let taken = taken.load(Ordering::Relaxed);
                assert!((1..AHEAD_MAX).contains(&taken), "{face:?}: {taken} bytes taken after {reads} reads");
                gate.pass(1);
            }
            gate.open();
        };
        let (answer, ()) = tokio::join!(house.ask(call), watching);
        whole(answer.unwrap().body).await;
        let received = house.sim.wait_for_request(1).await.unwrap();
        assert_eq!((received.body.len(), taken.load(Ordering::Relaxed)), (PIECES * PIECE, PIECES * PIECE));
    }
}
