//! Reads `~/.aws/config` and `~/.aws/credentials` by botocore's rules, for settings that neither options nor the
//! environment have.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;

/// Settings of a profile, and their names among the store's options.
const SETTINGS: [(&str, &str); 5] = [
    ("region", "aws_region"),
    ("endpoint_url", "aws_endpoint_url"),
    ("aws_access_key_id", "aws_access_key_id"),
    ("aws_secret_access_key", "aws_secret_access_key"),
    ("aws_session_token", "aws_session_token"),
];

/// Returns the settings of the profile in use: region, endpoint, keys and token, under the names of the store's options.
pub(super) fn settings(profile: Option<&String>) -> Vec<(&'static str, String)> {
    let variable = || env::var("AWS_DEFAULT_PROFILE").or_else(|_| env::var("AWS_PROFILE")).ok();
    let profile = profile.cloned().or_else(variable).unwrap_or_else(|| "default".to_owned());
    let config = read("AWS_CONFIG_FILE", "config");
    let mut found = section(&config, |header| in_config(header) == Some(&profile));
    // The file of credentials wins.
    let credentials = read("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    found.extend(section(&credentials, |header| header.trim() == profile));
    // The variable is one of the AWS SDKs.
    if env::var("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
        found.remove("endpoint_url");
    }
    SETTINGS.iter().filter_map(|&(key, option)| Some((option, found.remove(key)?))).collect()
}

/// Returns true if one of the files has settings of this profile.
pub(super) fn exists(profile: &str) -> bool {
    !section(&read("AWS_CONFIG_FILE", "config"), |header| in_config(header) == Some(profile)).is_empty()
        || !section(&read("AWS_SHARED_CREDENTIALS_FILE", "credentials"), |header| header.trim() == profile).is_empty()
}

/// Returns the text of a file; the empty text if there is none.
fn read(variable: &str, name: &str) -> String {
    let home = env::home_dir();
    let path = match (env::var_os(variable).map(PathBuf::from), home) {
        (Some(path), Some(home)) => path.strip_prefix("~").map_or_else(|_| path.clone(), |rest| home.join(rest)),
        (Some(path), None) => path,
        (None, Some(home)) => home.join(".aws").join(name),
        (None, None) => return String::new(),
    };
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Returns the profile that a section of the config file describes, if it is one: `default`, or `profile NAME`.
fn in_config(header: &str) -> Option<&str> {
    let header = header.trim();
    if header == "default" {
        return Some(header);
    }
    let name = header.strip_prefix("profile")?;
    name.starts_with(char::is_whitespace).then(|| name.trim().trim_matches(['"', '\'']))
}

/// Returns the keys, in lower case, and values of the sections with this header in an INI file.
fn section(text: &str, is_wanted: impl Fn(&str) -> bool) -> HashMap<String, String> {
    let (mut inside, mut found) = (false, HashMap::new());
    for line in text.lines() {
        // An indented line continues the value before it, such as the settings of one service.
        if line.starts_with(['#', ';']) || line.starts_with(char::is_whitespace) {
            continue;
        }
        if let Some((header, _)) = line.strip_prefix('[').and_then(|line| line.rsplit_once(']')) {
            inside = is_wanted(header);
        } else if inside && let Some((key, value)) = line.split_once(['=', ':']) {
            found.insert(key.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_those_of_botocore() {
        let text = "[other]\nregion = us\n[profile \"mine\"] # a comment\n# region = no\ns3 =\n  region = nested\n\
                    Region: eu-west-1\nendpoint_url=http://localhost:9000/\n[profile  wide]\nregion = wide\n[mine]\nregion = bare\n";
        let of = |profile: &str| section(text, |header| in_config(header) == Some(profile));
        assert_eq!(of("mine")["region"], "eu-west-1");
        assert_eq!(of("mine")["endpoint_url"], "http://localhost:9000/");
        assert_eq!(of("wide")["region"], "wide");
        assert!(of("default").is_empty() && of("other").is_empty());
        assert_eq!(section(text, |header| header == "other")["region"], "us");
    }
}
