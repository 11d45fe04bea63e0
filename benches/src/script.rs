//! What the generator sends and what it must get back, byte for byte.

use clap::ValueEnum;

use crate::{
    Result,
    template::{SLOT, Template, data, differs},
    turn::Turn,
};

/// How the server under test answers, and so how it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reply {
    /// With the very bytes it got.
    Same,
    /// With an ack of the default envelope that carries the data it got.
    Ack,
    /// With Socket.IO's ack of the data it got, which travels as Socket.IO's event.
    Packet,
    /// The same, each once but in any order: socketioxide spawns its handlers.
    AnyPacket,
    /// With an event of the same name that carries the data it got, as NestJS's WsAdapter does.
    Event,
}

impl Reply {
    /// Whether answers come in the order of what they answer.
    pub(crate) fn keeps_order(self) -> bool {
        self != Self::AnyPacket
    }

    /// The text of a message that wants an answer.
    pub(crate) fn request(self, event: &str, data: &str) -> String {
        match self {
            Self::Packet | Self::AnyPacket => format!(r#"42{SLOT}["{event}",{data}]"#),
            Self::Same | Self::Ack | Self::Event => {
                format!(r#"{{"event":"{event}","data":{data},"id":{SLOT}}}"#)
            }
        }
    }

    /// The text of the answer that carries `data`.
    pub(crate) fn answer(self, event: &str, data: &str) -> String {
        match self {
            Self::Same => self.request(event, data),
            Self::Ack => format!(r#"{{"ack":{SLOT},"data":{data}}}"#),
            Self::Packet | Self::AnyPacket => format!("43{SLOT}[{data}]"),
            Self::Event => self.event(event, data),
        }
    }

    /// The text of a message that nobody asked for.
    pub(crate) fn event(self, event: &str, data: &str) -> String {
        match self {
            Self::Packet | Self::AnyPacket => format!(r#"42["{event}",{data}]"#),
            Self::Same | Self::Ack | Self::Event => format!(r#"{{"event":"{event}","data":{data}}}"#),
        }
    }

    /// How an answer starts that may carry anything, and what must not follow then.
    fn start(self, event: &str) -> (String, &'static [u8]) {
        match self {
            Self::Same | Self::Ack => (format!(r#"{{"ack":{SLOT}"#), br#","error""#),
            Self::Packet | Self::AnyPacket => (format!("43{SLOT}["), br#"{"status":"error""#),
            Self::Event => (format!(r#"{{"event":"{event}""#), br#","error""#),
        }
    }
}

/// One connection's messages with an increasing number, the same bytes for every server of a wire.
#[derive(Debug)]
pub(crate) struct Script {
    request: Template,
    reply: Template,
    /// What must not follow where the rest of a reply is not compared.
    refusal: Option<&'static [u8]>,
    /// Which have come, where they may come in any order.
    turn: Option<Turn>,
    sent: u64,
}

impl Script {
    /// Messages of exactly `size` bytes for event `echo`, told apart by `connection`.
    ///
    /// # Errors
    ///
    /// When `size` is too small for the envelope.
    pub(crate) fn echo(reply: Reply, size: usize, connection: usize) -> Result<Self> {
        let data = data(100_000 + connection, size, |data| reply.request("echo", data))?;
        Ok(Self {
            request: Template::new(reply.request("echo", &data)),
            reply: Template::new(reply.answer("echo", &data)),
            refusal: None,
            turn: (!reply.keeps_order()).then(Turn::default),
            sent: 0,
        })
    }

    /// Messages that ask to join `room`.
    pub(crate) fn join(reply: Reply, room: &str) -> Self {
        let (start, refusal) = reply.start("join");
        Self {
            request: Template::new(reply.request("join", &format!(r#"{{"room":"{room}"}}"#))),
            reply: Template::new(start),
            refusal: Some(refusal),
            turn: None,
            sent: 0,
        }
    }

    /// The message number `n`.
    pub(crate) fn request(&mut self, n: u64) -> &[u8] {
        self.sent = n + 1;
        self.request.patch(n)
    }

    /// Checks the reply to message number `n`, or, where replies come in any order, to one that has none yet.
    ///
    /// # Errors
    ///
    /// When it is any other than the one expected now: a lost, doubled, reordered or changed reply.
    pub(crate) fn check(&mut self, n: u64, text: &[u8]) -> Result {
        let n = match &mut self.turn {
            None => n,
            Some(turn) => match self.reply.number(text) {
                Some(number) if number < self.sent && turn.take(number) => number,
                _ => return Err(differs(b"a reply to a message without one", text)),
            },
        };
        let expected = self.reply.patch(n);
        let right = match self.refusal {
            None => text == expected,
            Some(refusal) => text.strip_prefix(expected).is_some_and(|rest| !rest.starts_with(refusal)),
        };
        if right { Ok(()) } else { Err(differs(expected, text)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_size_asked_for_and_is_json() {
        let mut script = Script::echo(Reply::Ack, 128, 3).unwrap();
        let request = script.request(7);
        assert_eq!(request.len(), 128);
        let value: serde_json::Value = serde_json::from_slice(request).unwrap();
        assert_eq!(value["id"], 1_000_000_007);
        let reply = serde_json::json!({ "ack": value["id"], "data": value["data"] });
        script.check(7, reply.to_string().as_bytes()).unwrap();
    }

    #[test]
    fn a_small_message_has_the_size_asked_for_too() {
        assert_eq!(Script::echo(Reply::Ack, 64, 3).unwrap().request(7).len(), 64);
        assert!(Script::echo(Reply::Ack, 16, 3).is_err());
    }

    #[test]
    fn a_packet_is_answered_with_its_number_and_its_data() {
        let mut script = Script::echo(Reply::Packet, 128, 3).unwrap();
        let request = String::from_utf8(script.request(7).to_vec()).unwrap();
        assert_eq!(request.len(), 128);
        let data = request.strip_prefix(r#"421000000007["echo","#).unwrap();
        script.check(7, format!("431000000007[{data}").as_bytes()).unwrap();
        assert!(script.check(7, format!("431000000008[{data}").as_bytes()).is_err());
    }

    #[test]
    fn a_reply_out_of_order_is_refused() {
        let mut script = Script::echo(Reply::Same, 128, 0).unwrap();
        let second = script.request(1).to_vec();
        assert!(script.check(0, &second).is_err());
        assert!(script.check(1, &second).is_ok());
    }

    #[test]
    fn in_any_order_each_reply_comes_once_and_none_too_many() {
        let mut script = Script::echo(Reply::AnyPacket, 128, 0).unwrap();
        script.request(2);
        let mut reply = Script::echo(Reply::AnyPacket, 128, 0).unwrap().reply;
        for n in [1, 0, 2] {
            script.check(0, reply.patch(n)).unwrap();
        }
        assert!(script.check(0, reply.patch(2)).is_err(), "twice");
        assert!(script.check(0, reply.patch(3)).is_err(), "never asked for");
    }

    #[test]
    fn an_error_instead_of_a_join_is_refused() {
        let joined = [
            (
                Reply::Ack,
                r#"{"ack":1000000000,"data":null}"#,
                r#"{"ack":1000000000,"error":{"status":"error"}}"#,
            ),
            (Reply::Packet, r#"431000000000[{"room":"r"}]"#, r#"431000000000[{"status":"error"}]"#),
            (Reply::Event, r#"{"event":"join","data":{}}"#, r#"{"event":"exception","data":{}}"#),
        ];
        for (reply, right, wrong) in joined {
            assert!(Script::join(reply, "r").check(0, right.as_bytes()).is_ok());
            assert!(Script::join(reply, "r").check(0, wrong.as_bytes()).is_err());
        }
    }
}
