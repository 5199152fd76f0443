//! Who does not read stalls the sender: nothing piles up in between.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use http_body_util::BodyExt as _;

use super::{
    Home, ask, call,
    fakes::{Echoes, Plenty, Reads, Says, answer},
    next, whole, within,
};
use crate::Forward;

/// So many bytes may be on their way between a sender and a reader that does not read: windows and sockets' buffers.
const IN_FLIGHT_MAX: u64 = 4 * 1024 * 1024;
/// What is sent in all: far more than that.
const FRAMES: u64 = 1024;
const FRAME: usize = 64 * 1024;
const TOTAL: u64 = FRAMES * FRAME as u64;

/// An answer is taken from the provider no faster than the client reads it.
pub async fn a_slow_reader_slows_the_answer(home: &dyn Home) {
    let other = home.house(Arc::new(Echoes)).await;
    let (plenty, given) = Plenty::of(FRAMES, Bytes::from(vec![1; FRAME]));
    let forward = home.house(Says::this(Ok(answer(plenty.boxed_unsync())))).await;
    let mut came = ask(&*forward, call(crate::empty())).await.unwrap();
    let mut read = 0;
    let mut readings = 0_u32;
    loop {
        if readings.is_multiple_of(16) {
            dawdle(&*other).await;
        }
        readings += 1;
        let ahead = given.load(Ordering::Relaxed) - read;
        assert!(ahead <= IN_FLIGHT_MAX, "{ahead} bytes were taken ahead of the reader");
        let Some(data) = next(&mut came.body).await else { break };
        read += data.unwrap().len() as u64;
    }
    assert_eq!(read, TOTAL);
}

/// A request is taken from the client no faster than the provider takes it.
pub async fn a_slow_forwarder_slows_the_request(home: &dyn Home) {
    let other = home.house(Arc::new(Echoes)).await;
    let (plenty, given) = Plenty::of(FRAMES, Bytes::from(vec![2; FRAME]));
    let reads = Reads::when_told();
    let forward = home.house(reads.clone()).await;
    let mut seen = reads.seen.subscribe();
    let mut calling = pin!(ask(&*forward, call(plenty.boxed_unsync())));
    let driving = async {
        for turn in 0_u32.. {
            if turn.is_multiple_of(16) {
                dawdle(&*other).await;
            }
            let ahead = given.load(Ordering::Relaxed) - seen.borrow().0;
            assert!(ahead <= IN_FLIGHT_MAX, "{ahead} bytes were taken ahead of the forwarder");
            reads.gate.add_permits(1);
            within("the forwarder's next read", seen.changed()).await.unwrap();
        }
    };
    let answered = tokio::select! {
        answered = &mut calling => answered,
        () = driving => unreachable!("the turns have no end"),
    };
    assert_eq!(whole(&mut answered.unwrap().body).await, TOTAL.to_string());
}

/// Gives whoever would run ahead every occasion to: whole calls there and back.
async fn dawdle(other: &dyn Forward) {
    for _ in 0..4 {
        let mut came = ask(other, call(crate::full("tick"))).await.unwrap();
        assert_eq!(whole(&mut came.body).await, "tick");
    }
}
