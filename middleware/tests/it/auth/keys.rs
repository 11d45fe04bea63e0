//! Which keys verify what.

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, jwk::Jwk};
use narthex_core::{BoxError, ErrorKind};
use narthex_middleware::auth::{JwtKey, JwtKeys, KeySource};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256};
use serde_json::{Value, json};

use super::{SECRET, ada, bearer, invalid, jwt, refusal, secret, server, sign, sign_as, who};

/// A pair of keys for one algorithm.
struct Pair {
    algorithm: Algorithm,
    private: EncodingKey,
    public_pem: String,
}

impl Pair {
    fn new(algorithm: Algorithm) -> Self {
        let kind = match algorithm {
            Algorithm::RS256 => &PKCS_RSA_SHA256,
            Algorithm::ES256 => &PKCS_ECDSA_P256_SHA256,
            _ => &PKCS_ED25519,
        };
        let pair = KeyPair::generate_for(kind).unwrap();
        let pem = pair.serialize_pem();
        let private = match algorithm {
            Algorithm::RS256 => EncodingKey::from_rsa_pem(pem.as_bytes()),
            Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
            _ => EncodingKey::from_ed_pem(pem.as_bytes()),
        };
        Self { algorithm, private: private.unwrap(), public_pem: pair.public_key_pem() }
    }

    fn all() -> [Self; 3] {
        [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA].map(Self::new)
    }

    fn key(&self) -> JwtKey {
        load(self.algorithm, &self.public_pem).unwrap()
    }

    fn jwk(&self, id: &str) -> Value {
        let pem = self.public_pem.as_bytes();
        let public = match self.algorithm {
            Algorithm::RS256 => DecodingKey::from_rsa_pem(pem),
            Algorithm::ES256 => DecodingKey::from_ec_pem(pem),
            _ => DecodingKey::from_ed_pem(pem),
        };
        let jwk = Jwk::from_decoding_key(&public.unwrap(), Some(self.algorithm)).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["kid"] = json!(id);
        jwk
    }

    fn sign(&self, id: Option<&str>) -> String {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(self.algorithm) };
        jsonwebtoken::encode(&header, &ada(60), &self.private).unwrap()
    }
}

fn load(algorithm: Algorithm, pem: &str) -> narthex_core::Result<JwtKey> {
    match algorithm {
        Algorithm::RS256 => JwtKey::rs256_pem(pem),
        Algorithm::ES256 => JwtKey::es256_pem(pem),
        _ => JwtKey::eddsa_pem(pem),
    }
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

#[tokio::test(start_paused = true)]
async fn a_key_in_pem_verifies_its_own_algorithm_and_nothing_else() {
    let pairs = Pair::all();
    for pair in &pairs {
        let server = server(jwt(pair.key())).await;
        let mut client = server.connect_with(bearer(&pair.sign(None))).await.unwrap();
        assert_eq!(who(&mut client).await, "ada Ada", "{:?}", pair.algorithm);
        for other in pairs.iter().filter(|other| other.algorithm != pair.algorithm) {
            let refused = refusal(&server, bearer(&other.sign(None))).await;
            assert_eq!(refused, invalid("The token is not valid"));
        }
        // The public key, which everybody knows, as the secret of HS256.
        let confused = sign_as(&Header::new(Algorithm::HS256), &ada(60), &pair.public_pem);
        assert_eq!(refusal(&server, bearer(&confused)).await, invalid("The token is not valid"));
    }
}

#[test]
fn a_key_that_is_not_fit_is_found_at_start() {
    let refused = |key: narthex_core::Result<JwtKey>| key.unwrap_err().kind();
    assert_eq!(refused(JwtKey::hs256("")), ErrorKind::Config);
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap().public_key_pem();
    assert_eq!(refused(JwtKey::es256_pem(&p384)), ErrorKind::Config);
    let private = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().serialize_pem();
    assert_eq!(refused(JwtKey::rs256_pem(&private)), ErrorKind::Config);
    for pair in Pair::all() {
        for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
            let loaded = load(algorithm, &pair.public_pem);
            assert_eq!(
                loaded.is_ok(),
                algorithm == pair.algorithm,
                "{algorithm:?} from {:?}",
                pair.algorithm
            );
        }
    }
    for pem in ["", "no PEM", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"] {
        assert_eq!(refused(JwtKey::rs256_pem(pem)), ErrorKind::Config);
        assert_eq!(refused(JwtKey::es256_pem(pem)), ErrorKind::Config);
        assert_eq!(refused(JwtKey::eddsa_pem(pem)), ErrorKind::Config);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_of_a_set_is_chosen_by_its_id() {
    let pairs = Pair::all();
    let keys: Vec<_> = pairs.iter().zip(["a", "b", "c"]).map(|(pair, id)| pair.jwk(id)).collect();
    let server = server(jwt(JwtKeys::from_jwks_str(&set(&keys)).unwrap())).await;
    for (pair, id) in pairs.iter().zip(["a", "b", "c"]) {
        assert!(server.connect_with(bearer(&pair.sign(Some(id)))).await.is_ok(), "{id}");
    }
    for id in [Some("b"), Some("d"), Some(""), None] {
        let refused = refusal(&server, bearer(&pairs[0].sign(id))).await;
        assert_eq!(refused, invalid("The token is not valid"), "{id:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_only_key_of_a_set_needs_no_id_in_the_token() {
    let pair = Pair::new(Algorithm::ES256);
    let server = server(jwt(JwtKeys::from_jwks_str(&set(&[pair.jwk("a")])).unwrap())).await;
    assert!(server.connect_with(bearer(&pair.sign(None))).await.is_ok());
    assert!(server.connect_with(bearer(&pair.sign(Some("a")))).await.is_ok());
    assert_eq!(refusal(&server, bearer(&pair.sign(Some("b")))).await, invalid("The token is not valid"));
}

#[test]
fn a_set_with_a_key_that_must_not_be_there_is_refused() {
    let with = |mut jwk: Value, name: &str, value: Value| {
        jwk[name] = value;
        jwk
    };
    let [rsa, ec, ed] = Pair::all().map(|pair| pair.jwk("a"));
    let oct = json!({ "kty": "oct", "kid": "s", "k": "c2VjcmV0", "alg": "HS256" });
    let nameless = json!({ "kty": "OKP", "crv": "Ed25519", "x": ed["x"] });
    for (what, keys) in [
        ("nothing", vec![]),
        ("a shared secret", vec![rsa.clone(), oct]),
        ("HS256 by an RSA key", vec![with(rsa.clone(), "alg", json!("HS256"))]),
        ("ES256 by an RSA key", vec![with(rsa.clone(), "alg", json!("ES256"))]),
        ("RS256 by a key of a curve", vec![with(ec.clone(), "alg", json!("RS256"))]),
        ("HS256 by a key of Ed25519", vec![with(ed.clone(), "alg", json!("HS256"))]),
        ("none but others' algorithms", vec![with(rsa.clone(), "alg", json!("none"))]),
        ("none but keys for encryption", vec![with(rsa.clone(), "use", json!("enc"))]),
        ("one id twice", vec![rsa.clone(), ec.clone()]),
        ("several, one without an id", vec![rsa.clone(), nameless]),
    ] {
        let refused = JwtKeys::from_jwks_str(&set(&keys)).map(drop).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Config, "{what}");
    }
    for text in ["", "{}", "[]", r#"{"keys":7}"#] {
        assert_eq!(JwtKeys::from_jwks_str(text).map(drop).unwrap_err().kind(), ErrorKind::Config, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_set_that_are_for_others_are_left_out() {
    let pair = Pair::new(Algorithm::RS256);
    let other = |name: &str, value: Value| {
        let mut jwk = pair.jwk(name);
        jwk[name] = value;
        jwk
    };
    let mut unnamed = pair.jwk("plain");
    unnamed.as_object_mut().unwrap().remove("alg");
    let mut newer = pair.jwk("newer");
    newer["alg"] = json!("RS1024");
    let keys = [
        newer,
        other("use", json!("enc")),
        other("key_ops", json!(["encrypt"])),
        other("alg", json!("PS256")),
        json!({ "kty": "OKP", "crv": "X25519", "x": "AAAA", "kid": "x" }),
        json!({ "kty": "new", "kid": "y" }),
        unnamed,
    ];
    let server = server(jwt(JwtKeys::from_jwks_str(&set(&keys)).unwrap())).await;
    assert!(server.connect_with(bearer(&pair.sign(Some("plain")))).await.is_ok());
    for id in ["newer", "use", "key_ops", "alg", "x", "y"] {
        assert_eq!(refusal(&server, bearer(&pair.sign(Some(id)))).await.0, 401, "{id}");
    }
}

#[test]
fn a_set_is_read_from_a_file() {
    let path = std::env::temp_dir().join(format!("narthex-jwks-{}.json", std::process::id()));
    std::fs::write(&path, set(&[Pair::new(Algorithm::EdDSA).jwk("a")])).unwrap();
    assert!(JwtKeys::from_jwks_file(&path).is_ok());
    std::fs::remove_file(&path).unwrap();
    let gone = JwtKeys::from_jwks_file(&path).map(drop).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::Config);
    assert!(gone.to_string().contains("narthex-jwks"), "{gone}");
}

#[tokio::test(start_paused = true)]
async fn an_older_secret_is_a_second_key() {
    let keys = [
        secret().id("new"),
        JwtKey::hs256("the secret of last year, which is still about").unwrap().id("old"),
    ];
    let server = server(jwt(JwtKeys::new(keys).unwrap())).await;
    let named = |id: &str| Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::HS256) };
    let old = "the secret of last year, which is still about";
    assert!(server.connect_with(bearer(&sign_as(&named("new"), &ada(60), SECRET))).await.is_ok());
    assert!(server.connect_with(bearer(&sign_as(&named("old"), &ada(60), old))).await.is_ok());
    assert_eq!(refusal(&server, bearer(&sign_as(&named("old"), &ada(60), SECRET))).await.0, 401);
    assert_eq!(refusal(&server, bearer(&sign(&ada(60)))).await.0, 401);
}

struct Down;

#[async_trait]
impl KeySource for Down {
    async fn key(&self, _: Option<&str>) -> Result<Option<JwtKey>, BoxError> {
        Err("https://keys.internal is down".into())
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_lets_nobody_in_and_says_nothing_of_itself() {
    let server = server(jwt(Down)).await;
    let refused = refusal(&server, bearer(&sign(&ada(60)))).await;
    assert_eq!(refused, (500, "Internal server error".to_owned(), None));
}
