/* Values from a peer or a caller: the input is taken as an any value and as JSON text. What is
 * accepted must turn into the other form, be accepted there, and come back as the same. */
#include "yc/json.h"
#include "yc/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void must_be_same(const struct yc_buf *a, const struct yc_buf *b)
{
    must(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
}

/* The JSON of any values that are one value and no more. Bytes become an object, one level more. */
static void to_json(struct yc_slice any, struct yc_buf *json)
{
    struct reader check = ycp_reader(any);
    struct reader reader = ycp_reader(any);
    ycp_any_skip(&check, DEPTH + 1);
    must(!check.bad && ycp_left(&check) == 0);
    ycp_buf_begin(json);
    ycp_any_to_json(json, &reader);
    must(!reader.bad && ycp_left(&reader) == 0 && ycp_buf_end(json) == YC_OK);
    must(ycp_json_valid(yc_buf_slice(json), DEPTH + 1));
}

/* From JSON on, both ways keep what is there. */
static void there_and_back(struct yc_slice text)
{
    struct yc_buf any = {0};
    struct yc_buf again = {0};
    struct yc_buf json = {0};
    struct yc_buf second = {0};
    ycp_any_from_json(&any, text);
    to_json(yc_buf_slice(&any), &json);
    ycp_any_from_json(&again, yc_buf_slice(&json));
    to_json(yc_buf_slice(&again), &second);
    must_be_same(&json, &second);
    yc_buf_free(&any);
    yc_buf_free(&again);
    yc_buf_free(&json);
    yc_buf_free(&second);
}

static void take_apart(struct yc_slice text)
{
    struct json json = ycp_json(text);
    struct yc_buf plain = {0};
    struct yc_slice token_text;
    enum json_token token = ycp_json_next(&json, &token_text);
    for (; token != JSON_END; token = ycp_json_next(&json, &token_text)) {
        ycp_buf_begin(&plain);
        if (token == JSON_STRING) {
            ycp_json_unescape(&plain, token_text);
            must(plain.len <= token_text.len && ycp_utf8_valid(yc_buf_slice(&plain)));
        } else if (token == JSON_OPEN_ARRAY || token == JSON_OPEN_OBJECT) {
            must(ycp_json_count(json, token == JSON_OPEN_OBJECT) <= text.len);
        }
    }
    json = ycp_json(text);
    struct yc_slice whole = ycp_json_value(&json);
    must(whole.len <= text.len && ycp_json_next(&json, NULL) == JSON_END);
    yc_buf_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yc_slice input = {data, size};
    struct reader reader = ycp_reader(input);
    ycp_any_skip(&reader, DEPTH);
    if (!reader.bad) {
        struct yc_buf json = {0};
        to_json((struct yc_slice){data, (size_t)(reader.at - data)}, &json);
        there_and_back(yc_buf_slice(&json));
        yc_buf_free(&json);
    }
    if (ycp_json_valid(input, DEPTH)) {
        take_apart(input);
        there_and_back(input);
    }
    return 0;
}
