# json.awk - a small JSON reader for shell scripts on machines that have neither Python nor jq.
# json_read(text) fills value[PATH] with every text, number and literal of one JSON text; a path has
# dots between members and counts items from 0: value["citations.0.page_start"]. Wants LC_ALL=C,
# so that sprintf("%c") gives bytes. Any POSIX awk.

function json_read(text) {
    split("", value)
    json_text = text
    json_at = 1
    json_value("")
}

function json_space() {
    while (substr(json_text, json_at, 1) ~ /[ \t\r\n]/) json_at++
}

function json_value(path,    c, rest, n) {
    json_space()
    c = substr(json_text, json_at, 1)
    if (c == "{" || c == "[") {
        json_members(path, c)
    } else if (c == "\"") {
        value[path] = json_string()
    } else {
        rest = substr(json_text, json_at, 64)
        n = match(rest, /[,}\] \t\r\n]/)
        if (n == 0) n = length(rest) + 1
        value[path] = substr(rest, 1, n - 1)
        json_at += n > 1 ? n - 1 : 1
    }
}

function json_members(path, opening,    count, name, close_mark, c) {
    close_mark = opening == "{" ? "}" : "]"
    json_at++
    count = 0
    while (json_at <= length(json_text)) {
        json_space()
        c = substr(json_text, json_at, 1)
        if (c == close_mark) {
            json_at++
            return
        }
        if (c == ",") {
            json_at++
            continue
        }
        if (opening == "{") {
            name = json_string()
            json_space()
            json_at++ # the colon
        } else {
            name = count
        }
        count++
        json_value(path == "" ? name : path "." name)
    }
}

# The text at json_at, which is its opening quote.
function json_string(    out, rest, n, c) {
    json_at++
    out = ""
    while (json_at <= length(json_text)) {
        rest = substr(json_text, json_at)
        n = match(rest, /["\\]/)
        if (n == 0) {
            json_at = length(json_text) + 1
            return out rest
        }
        out = out substr(rest, 1, n - 1)
        json_at += n
        if (substr(rest, n, 1) == "\"") return out
        c = substr(rest, n + 1, 1)
        json_at++
        if (c == "u") out = out json_unicode()
        else if (c == "n") out = out "\n"
        else if (c == "t") out = out "\t"
        else if (c == "r") out = out "\r"
        else if (c == "b" || c == "f") out = out " "
        else out = out c
    }
    return out
}

function json_hex(text,    i, n) {
    n = 0
    for (i = 1; i <= 4; i++)
        n = n * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
    return n
}

# The character of a \u escape, a surrogate pair included, as UTF-8.
function json_unicode(    code, low) {
    code = json_hex(substr(json_text, json_at, 4))
    json_at += 4
    if (code >= 55296 && code < 56320 && substr(json_text, json_at, 2) == "\\u") {
        low = json_hex(substr(json_text, json_at + 2, 4))
        json_at += 6
        code = 65536 + (code - 55296) * 1024 + (low - 56320)
    }
    if (code < 128) return sprintf("%c", code)
    if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
    if (code < 65536)
        return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
    return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64,
                   128 + int(code / 64) % 64, 128 + code % 64)
}
