//! The points of the curves: the same loads as in the table, with one number that grows.

use std::time::Duration;

use crate::{
    connection::Wire,
    curves::Axis,
    echo::Echo,
    fanout::FanOut,
    room::Pace,
    rows::{Load, Row, Target},
    script::Reply,
};

/// One point of a curve.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    /// What grows.
    pub(crate) axis: Axis,
    /// How far it has grown.
    pub(crate) x: usize,
    /// What is measured; its name is the curve's.
    pub(crate) row: Row,
}

const CONNECTIONS: [usize; 5] = [1, 10, 100, 1_000, 10_000];
const ROOMS: [usize; 4] = [1, 10, 100, 1_000];
const MEMBERS: [usize; 6] = [10, 30, 100, 300, 1_000, 5_000];
const SIZES: [usize; 6] = [64, 256, 1_024, 4 * 1_024, 16 * 1_024, 64 * 1_024];
/// Members of each room where rooms grow.
const CIRCLE: usize = 10;
/// Bytes of a message where something else grows.
const MESSAGE: usize = 128;
/// Sockets that echo where the size grows.
const SPEAKERS: usize = 64;
/// A point of large messages ends after this many bytes.
const BYTES: u64 = 512 * 1024 * 1024;

/// Every point, curve by curve.
pub(crate) fn all() -> Vec<Point> {
    let mut points = Vec::new();
    for (name, window, messages) in [("echo, window 1", 1, 100_000), ("echo, window 16", 16, 480_000)] {
        let point = |x| (Axis::Connections, x, name, echo(x, window, MESSAGE, messages));
        points.extend(CONNECTIONS.map(point).map(Point::new));
    }
    let point = |x| (Axis::Rooms, x, "fan-out to rooms of ten", fan_out(x, CIRCLE, 1));
    points.extend(ROOMS.map(point).map(Point::new));
    for (name, window) in [("fan-out, quiet", 1), ("fan-out, 8 in flight", 8)] {
        let point = |x| (Axis::Members, x, name, fan_out(1, x, window));
        points.extend(MEMBERS.map(point).map(Point::new));
    }
    for (name, window, messages) in
        [("echo by size, window 1", 1, 100_000), ("echo by size, window 16", 16, 480_000)]
    {
        let point = |x| (Axis::Size, x, name, echo(SPEAKERS, window, x, messages.min(BYTES / x as u64)));
        points.extend(SIZES.map(point).map(Point::new));
    }
    points
}

impl Point {
    fn new((axis, x, name, load): (Axis, usize, &'static str, Load)) -> Self {
        let must = Target::Ratio(f64::INFINITY);
        let row = Row { name, load, wire: Wire::Ws, path: "/ws", flags: &[], reply: Reply::Ack, must };
        Self { axis, x, row }
    }
}

fn echo(connections: usize, window: u64, size: usize, messages: u64) -> Load {
    Load::Echo(Echo { connections, window, size, messages, limit: Duration::from_secs(4) })
}

/// In each room one member publishes; the next message follows when everybody in the room has the last ones.
fn fan_out(rooms: usize, members: usize, window: u64) -> Load {
    let pace = Pace { window, step: 1 };
    Load::FanOut(FanOut { rooms, members, publishers: 1, pace, size: MESSAGE, deliveries: 300_000 })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_point_is_there_twice_and_each_curve_has_one_axis() {
        let points = all();
        let places: HashSet<_> = points.iter().map(|point| (point.row.name, point.x)).collect();
        assert_eq!(places.len(), points.len());
        let axes: HashSet<_> = points.iter().map(|point| (point.row.name, point.axis as u8)).collect();
        let curves: HashSet<_> = points.iter().map(|point| point.row.name).collect();
        assert_eq!(axes.len(), curves.len());
    }
}
