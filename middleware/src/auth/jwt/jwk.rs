//! What a JSON Web Key (RFC 7517) is for.

use jsonwebtoken::{
    Algorithm,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};

/// Whether a key verifies tokens.
#[derive(Debug, PartialEq)]
pub(super) enum Fitness {
    /// It does, by this algorithm.
    Fit(Algorithm),
    /// It is for something else, or for an algorithm that is not spoken here: ignored (RFC 7517 section 5).
    Other,
    /// It must not be in a set.
    Wrong(&'static str),
}

pub(super) fn fitness(jwk: &Jwk) -> Fitness {
    use KeyAlgorithm as K;

    if matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_)) {
        return Fitness::Wrong("is a shared secret (oct)");
    }
    if !verifies(jwk) {
        return Fitness::Other;
    }
    let (own, others): (Option<(Algorithm, KeyAlgorithm)>, &[KeyAlgorithm]) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => {
            let others =
                &[K::RS384, K::RS512, K::PS256, K::PS384, K::PS512, K::RSA1_5, K::RSA_OAEP, K::RSA_OAEP_256];
            (Some((Algorithm::RS256, K::RS256)), others)
        }
        AlgorithmParameters::EllipticCurve(key) => {
            let own = (key.curve == EllipticCurve::P256).then_some((Algorithm::ES256, K::ES256));
            (own, if own.is_some() { &[] } else { &[K::ES384] })
        }
        AlgorithmParameters::OctetKeyPair(key) => {
            let own = (key.curve == EllipticCurve::Ed25519).then_some((Algorithm::EdDSA, K::EdDSA));
            (own, &[])
        }
        _ => return Fitness::Other,
    };
    match (jwk.common.key_algorithm, own) {
        (None, Some((algorithm, _))) => Fitness::Fit(algorithm),
        (Some(named), Some((algorithm, name))) if named == name => Fitness::Fit(algorithm),
        (None | Some(K::UNKNOWN_ALGORITHM), _) => Fitness::Other,
        (Some(named), _) if others.contains(&named) => Fitness::Other,
        _ => Fitness::Wrong("names an algorithm that is not for its type"),
    }
}

/// Whether it is for signatures (RFC 7517 sections 4.2 and 4.3); one that does not say is.
fn verifies(jwk: &Jwk) -> bool {
    let by_use = jwk.common.public_key_use.as_ref().is_none_or(|used| *used == PublicKeyUse::Signature);
    let operations = jwk.common.key_operations.as_ref();
    by_use && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify))
}
