/* See stream.h. Any thread; owned by the container whose connection it reads. */
#include "run/stream.h"

#include <string.h>
#include <strings.h>

#define PREFIX_BYTES 8u

void stream_init(struct stream *stream)
{
    *stream = (struct stream){.state = STREAM_IN_HEAD};
}

static enum stream_result fail(struct stream *stream)
{
    stream->state = STREAM_IS_FAILED;
    return STREAM_FAILED;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 101 UPGRADED" -> 101; 0 if it is no status line. */
static int parse_status_line(struct view line)
{
    static const char version[] = "HTTP/1.1 ";
    const size_t at = sizeof version - 1;
    if (line.len < at + 3 || !view_starts(line, version) || !is_digit(line.at[at]) ||
        !is_digit(line.at[at + 1]) || !is_digit(line.at[at + 2]) ||
        (line.len > at + 3 && line.at[at + 3] != ' ')) {
        return 0;
    }
    return (line.at[at] - '0') * 100 + (line.at[at + 1] - '0') * 10 + (line.at[at + 2] - '0');
}

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* A field line is `Name: value`. One that says how long a body is would mean that what follows
 * is an ordinary body and not the container's stream. */
static bool field_is_good(struct view line)
{
    size_t name = 0;
    while (name < line.len && is_token_char(line.at[name])) {
        name++;
    }
    if (name == 0 || name == line.len || line.at[name] != ':') {
        return false;
    }
    for (size_t i = name + 1; i < line.len; i++) {
        unsigned char c = (unsigned char)line.at[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return !(name == 14 && strncasecmp(line.at, "content-length", name) == 0) &&
           !(name == 17 && strncasecmp(line.at, "transfer-encoding", name) == 0);
}

static struct view take_line(struct view *head)
{
    const char *end = memmem(head->at, head->len, "\r\n", 2);
    struct view line = {head->at, (size_t)(end - head->at)};
    head->at = end + 2;
    head->len -= line.len + 2;
    return line;
}

/* `head` ends with the empty line. */
static bool head_is_good(struct stream *stream, struct view head)
{
    stream->status = parse_status_line(take_line(&head));
    if (stream->status != 101 && stream->status != 200) {
        return false;
    }
    for (struct view line = take_line(&head); line.len > 0; line = take_line(&head)) {
        if (!field_is_good(line)) {
            return false;
        }
    }
    return true;
}

static enum stream_result take_head(struct stream *stream, struct view *input)
{
    while (input->len > 0) {
        if (stream->held == sizeof stream->hold) {
            return fail(stream);
        }
        stream->hold[stream->held++] = *input->at;
        input->at++;
        input->len--;
        if (stream->held >= 4 && memcmp(stream->hold + stream->held - 4, "\r\n\r\n", 4) == 0) {
            if (!head_is_good(stream, (struct view){stream->hold, stream->held})) {
                return fail(stream);
            }
            stream->state = STREAM_IN_PREFIX;
            stream->held = 0;
            return STREAM_OPEN;
        }
    }
    return STREAM_NEED_MORE;
}

static bool read_prefix(struct stream *stream)
{
    const unsigned char *p = (const unsigned char *)stream->hold;
    uint32_t len = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
    if (p[0] > STREAM_STDERR || p[1] != 0 || p[2] != 0 || p[3] != 0 ||
        len > STREAM_PIECE_MAX_BYTES) {
        return false;
    }
    stream->channel = (enum stream_channel)p[0];
    stream->left = len;
    stream->held = 0;
    stream->state = len > 0 ? STREAM_IN_PAYLOAD : STREAM_IN_PREFIX;
    return true;
}

static enum stream_result take_prefix(struct stream *stream, struct view *input)
{
    size_t want = PREFIX_BYTES - stream->held;
    size_t take = input->len < want ? input->len : want;
    memcpy(stream->hold + stream->held, input->at, take);
    stream->held += take;
    input->at += take;
    input->len -= take;
    if (stream->held == PREFIX_BYTES && !read_prefix(stream)) {
        return fail(stream);
    }
    return STREAM_NEED_MORE;
}

static enum stream_result take_payload(struct stream *stream, struct view *input,
                                       struct stream_piece *piece)
{
    size_t take = input->len < stream->left ? input->len : stream->left;
    *piece = (struct stream_piece){stream->channel, {input->at, take}};
    stream->left -= (uint32_t)take;
    input->at += take;
    input->len -= take;
    if (stream->left == 0) {
        stream->state = STREAM_IN_PREFIX;
    }
    return STREAM_PIECE;
}

enum stream_result stream_next(struct stream *stream, struct view *input,
                               struct stream_piece *piece)
{
    while (input->len > 0) {
        enum stream_result result;
        switch (stream->state) {
        case STREAM_IN_HEAD:
            return take_head(stream, input);
        case STREAM_IN_PREFIX:
            result = take_prefix(stream, input);
            if (result == STREAM_FAILED) {
                return result;
            }
            break;
        case STREAM_IN_PAYLOAD:
            return take_payload(stream, input, piece);
        default:
            return STREAM_FAILED;
        }
    }
    return stream->state == STREAM_IS_FAILED ? STREAM_FAILED : STREAM_NEED_MORE;
}
