// SPDX-License-Identifier: Apache-2.0
// The web server over real sockets, with a fake in place of the workers: operations, methods,
// messages in URLs and bodies, limits, statuses, headers, suspended connections, the end.
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/kit.h"
#include "server/http.h"
#include "server/listener.h"

#define COUNT(array)   (sizeof(array) / sizeof(array)[0])
#define STALL_SEC      30 // nothing here takes that long; a test that would hang fails instead
#define ANSWER_MAX     (256 * 1024)
#define CERTS_SINCE    1577836800 // 2020-01-01
#define CERTS_DAYS     36500
#define PATH           "/cgi-bin/pkiclient.exe"
#define REPLY          "the reply\0of the fake"
#define REPLY_LEN      (sizeof REPLY - 1)
#define MESSAGE        "\x30\x82\xfb\xff\xbf\0 message"
#define MESSAGE_LEN    (sizeof MESSAGE - 1)
#define NUL_REQUEST    "GET /\0?operation=GetCACert HTTP/1.0\r\n\r\n"
#define MESSAGE_BASE64 "MIL7/78AIG1lc3NhZ2U="

// What the fake does with a job: answers on the spot, keeps it, or says that the queue is full.
enum mode { ANSWER, HOLD, FULL };

struct plan {
    enum mode mode;
    enum enroll_outcome outcome;
    const char *decision;
    const char *reason;
};

struct scene {
    struct live live;
    struct http *http;
    uint16_t port;
    _Atomic unsigned jobs; // handed over so far
    pthread_mutex_t lock;  // guards all below
    pthread_cond_t changed;
    struct plan plan;
    struct work_item *held; // HOLD: the last one
    struct buf message;     // of the last one
};

static const struct plan issue = {ANSWER, ENROLL_REPLY, "issue", ""};
static const struct plan hold = {HOLD, ENROLL_REPLY, "issue", ""};
static const struct plan full = {FULL, ENROLL_REPLY, "issue", ""};

static void set_plan(struct scene *scene, const struct plan *plan)
{
    pthread_mutex_lock(&scene->lock);
    scene->plan = *plan;
    pthread_mutex_unlock(&scene->lock);
}

static void finish(const struct plan *plan, struct work_item *item)
{
    struct enroll_job *job = &item->job;
    policy_unref(job->policy);
    job->policy = NULL;
    job->outcome = plan->outcome;
    job->report.level = LOG_LEVEL_INFO;
    job->report.decision = plan->decision;
    snprintf(job->report.reason, sizeof job->report.reason, "%s", plan->reason);
    if (job->outcome == ENROLL_REPLY) {
        assert_int_equal(buf_copy(view_of(REPLY, REPLY_LEN), &job->reply, NULL), ERR_OK);
    }
    item->done(item);
}

static bool submit(void *context, struct work_item *item)
{
    struct scene *scene = context;
    pthread_mutex_lock(&scene->lock);
    struct plan plan = scene->plan;
    scene->jobs++;
    buf_done(&scene->message);
    assert_int_equal(buf_copy(item->job.message, &scene->message, NULL), ERR_OK);
    if (plan.mode == HOLD) {
        scene->held = item;
    }
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
    if (plan.mode == ANSWER) {
        finish(&plan, item);
    }
    return plan.mode != FULL;
}

static bool is_last_message(struct scene *scene, struct view expected)
{
    pthread_mutex_lock(&scene->lock);
    bool is_same = view_equal(buf_view(&scene->message), expected);
    pthread_mutex_unlock(&scene->lock);
    return is_same;
}

static size_t last_message_len(struct scene *scene)
{
    pthread_mutex_lock(&scene->lock);
    size_t len = scene->message.len;
    pthread_mutex_unlock(&scene->lock);
    return len;
}

static struct work_item *wait_for_job(struct scene *scene)
{
    pthread_mutex_lock(&scene->lock);
    while (scene->held == NULL) {
        pthread_cond_wait(&scene->changed, &scene->lock);
    }
    struct work_item *item = scene->held;
    scene->held = NULL;
    pthread_mutex_unlock(&scene->lock);
    return item;
}

// --- A server.

static struct credentials *make_credentials(void)
{
    struct credentials *credentials = calloc(1, sizeof *credentials);
    assert_non_null(credentials);
    X509 *root = kit_cert(kit_key(0), "Root", NULL, NULL, true, CERTS_SINCE, CERTS_DAYS);
    X509 *issuing =
        kit_cert(kit_key(1), "Issuing", root, kit_key(0), true, CERTS_SINCE, CERTS_DAYS);
    struct generation *generation = &credentials->generations.list[0];
    generation->cert = issuing;
    assert_int_equal(generation_identify(issuing, generation->id, generation->name, NULL), ERR_OK);
    credentials->generations.count = 1;
    credentials->recipients[0].cert =
        kit_cert(kit_key(2), "RA", issuing, kit_key(1), false, CERTS_SINCE, CERTS_DAYS);
    credentials->recipient_count = 1;
    credentials->upper = sk_X509_new_null();
    assert_non_null(credentials->upper);
    assert_true(sk_X509_push(credentials->upper, root) > 0);
    return credentials;
}

static struct settings *make_settings(void)
{
    struct settings *settings = calloc(1, sizeof *settings);
    assert_non_null(settings);
    settings->http.connections = 64;
    settings->http.timeout_sec = STALL_SEC;
    settings->http.crl_path = strdup("/crl/{ca}.crl");
    settings->http.ca_path = strdup("/ca/{ca}.cer");
    settings->http.root_path = strdup("/ca/root.cer");
    settings->http.ocsp_path = strdup("/ocsp");
    settings->scep.get_ca_cert[0] = SETTINGS_CA_ITEM_RA;
    settings->scep.get_ca_cert[1] = SETTINGS_CA_ITEM_ISSUING;
    settings->scep.get_ca_cert[2] = SETTINGS_CA_ITEM_ROOT;
    settings->scep.get_ca_cert_count = 3;
    return settings;
}

static struct policy *make_policy(struct settings *take_settings)
{
    struct policy *policy = calloc(1, sizeof *policy);
    assert_non_null(policy);
    policy->settings = take_settings;
    policy->credentials = make_credentials();
    snprintf(policy->capabilities, sizeof policy->capabilities, "AES\nPOSTPKIOperation\n");
    atomic_init(&policy->references, 1);
    return policy;
}

static void start_on(struct scene *scene, const char *listen_text, struct settings *take_settings)
{
    struct err err = {0};
    memset(scene, 0, sizeof *scene);
    pthread_mutex_init(&scene->lock, NULL);
    pthread_cond_init(&scene->changed, NULL);
    scene->plan = issue;
    struct policy *policy = make_policy(take_settings);
    assert_int_equal(live_policy_new(policy, &scene->live.policy, &err), ERR_OK);
    struct http_settings settings = {.settings = policy->settings,
                                     .live = &scene->live,
                                     .submit = submit,
                                     .submit_context = scene};
    assert_int_equal(listener_open(listen_text, &settings.take_fd, &err), ERR_OK);
    assert_int_equal(listener_name(settings.take_fd, scene->live.listening, &err), ERR_OK);
    scene->port = (uint16_t)atoi(strrchr(scene->live.listening, ':') + 1);
    assert_true(scene->port > 0);
    assert_int_equal(http_start(&settings, &scene->http, &err), ERR_OK);
}

static void start(struct scene *scene)
{
    start_on(scene, "127.0.0.1:0", make_settings());
}

static void stop(struct scene *scene)
{
    http_quiesce(scene->http);
    http_stop(scene->http);
    live_policy_free(scene->live.policy);
    buf_done(&scene->message);
    pthread_cond_destroy(&scene->changed);
    pthread_mutex_destroy(&scene->lock);
}

// --- A client.

static int dial(const struct scene *scene)
{
    const struct timeval stall = {.tv_sec = STALL_SEC};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(scene->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

// False when the server has closed the connection meanwhile.
static bool send_all(int fd, struct view octets)
{
    size_t sent = 0;
    while (sent < octets.len) {
        ssize_t count = send(fd, octets.data + sent, octets.len - sent, MSG_NOSIGNAL);
        if (count < 0) {
            return false;
        }
        sent += (size_t)count;
    }
    return true;
}

static void send_text(int fd, const char *text)
{
    assert_true(send_all(fd, view_of_text(text)));
}

// One answer, or all up to the end of the connection.
struct answer {
    char text[ANSWER_MAX]; // head and body, with a final NUL
    size_t len;
    unsigned status;
    struct view body;
    bool is_closed; // by the server, after it
};

static const char *header(const struct answer *answer, const char *name)
{
    static char value[256];
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\r\n%s: ", name);
    const char *found = strstr(answer->text, wanted);
    if (found == NULL || (const uint8_t *)found >= answer->body.data) {
        return NULL;
    }
    found += strlen(wanted);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(found, "\r"), found);
    return value;
}

static void read_more(int fd, struct answer *answer)
{
    ssize_t count = recv(fd, answer->text + answer->len, sizeof answer->text - 1 - answer->len, 0);
    assert_false(count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
    answer->is_closed = count <= 0;
    answer->len += count > 0 ? (size_t)count : 0;
    answer->text[answer->len] = '\0';
}

static void read_head(int fd, struct answer *answer)
{
    memset(answer, 0, sizeof *answer);
    const char *end = NULL;
    while ((end = strstr(answer->text, "\r\n\r\n")) == NULL && !answer->is_closed) {
        read_more(fd, answer);
    }
    assert_non_null(end);
    assert_int_equal(sscanf(answer->text, "HTTP/1.1 %u ", &answer->status), 1);
    answer->body.data = (const uint8_t *)end + 4;
}

// Reads exactly one answer from a connection that stays open.
static void read_one(int fd, struct answer *answer)
{
    read_head(fd, answer);
    const char *length = header(answer, "Content-Length");
    assert_non_null(length);
    answer->body.len = strtoul(length, NULL, 10);
    size_t head_len = (size_t)(answer->body.data - (const uint8_t *)answer->text);
    while (answer->len < head_len + answer->body.len && !answer->is_closed) {
        read_more(fd, answer);
    }
    assert_int_equal(answer->len, head_len + answer->body.len);
}

// Reads one answer and then the end of the connection.
static void read_last(int fd, struct answer *answer)
{
    read_head(fd, answer);
    while (!answer->is_closed) {
        read_more(fd, answer);
    }
    size_t head_len = (size_t)(answer->body.data - (const uint8_t *)answer->text);
    answer->body.len = answer->len - head_len;
}

static void ask_octets(const struct scene *scene, struct view request, struct answer *answer)
{
    int fd = dial(scene);
    (void)send_all(fd, request); // a server that has heard enough may close before it is all sent
    read_last(fd, answer);
    close(fd);
}

static void ask(const struct scene *scene, const char *request, struct answer *answer)
{
    ask_octets(scene, view_of_text(request), answer);
}

// --- Tests.

static const struct {
    const char *request; // method and target
    unsigned status;
    const char *type;
    const char *allow;
    const char *body; // NULL = not looked at
    unsigned jobs;    // handed to the workers
} plain_requests[] = {
    {"GET " PATH "?operation=GetCACaps", 200, "text/plain", NULL, "AES\nPOSTPKIOperation\n", 0},
    {"GET " PATH "?operation=getcacaps", 200, "text/plain", NULL, "AES\nPOSTPKIOperation\n", 0},
    {"HEAD " PATH "?operation=GetCACaps", 200, "text/plain", NULL, "", 0},
    {"GET " PATH "?operation=GetCACert", 200, "application/x-x509-ca-ra-cert", NULL, NULL, 0},
    {"HEAD " PATH "?operation=GetCACert", 200, "application/x-x509-ca-ra-cert", NULL, "", 0},
    {"GET " PATH "?operation=GetNextCACert", 404, "text/plain", NULL,
     "there is no next CA certificate\n", 0},
    // Any path.
    {"GET /?operation=GetCACaps", 200, "text/plain", NULL, NULL, 0},
    {"GET //?operation=GetCACaps", 200, "text/plain", NULL, NULL, 0},
    {"GET /certsrv/mscep/mscep.dll/pkiclient.exe?operation=GetCACaps", 200, "text/plain", NULL,
     NULL, 0},
    {"GET /a%20b/../%00/?operation=GetCACaps", 200, "text/plain", NULL, NULL, 0},
    {"GET http://pki.example.net:8080/x?operation=GetCACaps", 200, "text/plain", NULL, NULL, 0},
    // What clients do to the query.
    {"GET " PATH "??operation=GetCACaps", 200, "text/plain", NULL, NULL, 0},
    {"GET " PATH "?operation=GetCACaps&message=", 200, "text/plain", NULL, NULL, 0},
    {"GET " PATH "?operation=GetCACert&message=CAIdentifier", 200, "application/x-x509-ca-ra-cert",
     NULL, NULL, 0},
    {"GET " PATH "?operation=GetCACert&message=%00%ff!", 200, "application/x-x509-ca-ra-cert", NULL,
     NULL, 0},
    {"GET " PATH "?mac=x&operation=GetCACaps&operation=PKIOperation", 200, "text/plain", NULL, NULL,
     0},
    {"GET " PATH "?operation=GetCACaps%00", 400, "text/plain", NULL, "the operation is not known\n",
     0},
    {"GET " PATH "?operation=GetCAcapability", 400, "text/plain", NULL,
     "the operation is not known\n", 0},
    {"GET " PATH "?operation=", 400, "text/plain", NULL, "the operation is not known\n", 0},
    {"GET " PATH "?operation", 400, "text/plain", NULL, "the operation is not known\n", 0},
    {"GET " PATH, 400, "text/plain", NULL, "the URL names no operation\n", 0},
    {"GET " PATH "?message=MIIB", 400, "text/plain", NULL, "the URL names no operation\n", 0},
    {"POST " PATH "?operation=nonsense", 400, "text/plain", NULL, "the operation is not known\n",
     0},
    // Methods.
    {"POST " PATH "?operation=GetCACaps", 405, "text/plain", "GET", NULL, 0},
    {"POST " PATH "?operation=GetCACert", 405, "text/plain", "GET", NULL, 0},
    {"POST " PATH "?operation=GetNextCACert", 405, "text/plain", "GET", NULL, 0},
    {"DELETE " PATH "?operation=GetCACert", 405, "text/plain", "GET",
     "this operation does not know the method\n", 0},
    {"HEAD " PATH "?operation=PKIOperation&message=" MESSAGE_BASE64, 405, "text/plain", "GET, POST",
     "", 0},
    {"PUT " PATH "?operation=PKIOperation&message=" MESSAGE_BASE64, 405, "text/plain", "GET, POST",
     NULL, 0},
    {"DELETE " PATH "?operation=PKIOperation&message=" MESSAGE_BASE64, 405, "text/plain",
     "GET, POST", NULL, 0},
    {"BREW " PATH "?operation=PKIOperation&message=" MESSAGE_BASE64, 405, "text/plain", "GET, POST",
     NULL, 0},
    {"get " PATH "?operation=PKIOperation&message=" MESSAGE_BASE64, 405, "text/plain", "GET, POST",
     NULL, 0},
    // Messages that are none.
    {"GET " PATH "?operation=PKIOperation", 400, "text/plain", NULL, "the URL has no message\n", 0},
    {"GET " PATH "?operation=PKIOperation&message", 400, "text/plain", NULL,
     "the URL has no message\n", 0},
    {"GET " PATH "?operation=PKIOperation&message=", 400, "text/plain", NULL,
     "the URL has no message\n", 0},
    {"GET " PATH "?operation=PKIOperation&message=MII%00", 400, "text/plain", NULL,
     "the message: octet 3 (0x00) is not base64\n", 0},
    {"GET " PATH "?operation=PKIOperation&message=MIIB*", 400, "text/plain", NULL,
     "the message: octet 4 (0x2a) is not base64\n", 0},
    {"GET " PATH "?operation=PKIOperation&message=MIIBM", 400, "text/plain", NULL,
     "the message: base64 ends with a single digit\n", 0},
    {"POST " PATH "?operation=PKIOperation", 400, "text/plain", NULL, "the body is empty\n", 0},
    {"POST " PATH, 400, "text/plain", NULL, "the body is empty\n", 0},
    {"GET " PATH "?operation=PKIOperation&message=" MESSAGE_BASE64, 200,
     "application/x-pki-message", NULL, NULL, 1},
};

static void answers_each_operation_and_method(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    for (size_t i = 0; i < COUNT(plain_requests); i++) {
        char request[512];
        unsigned jobs_before = scene.jobs;
        snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                 plain_requests[i].request);
        ask(&scene, request, &answer);
        assert_int_equal(answer.status, plain_requests[i].status);
        assert_string_equal(header(&answer, "Content-Type"), plain_requests[i].type);
        assert_non_null(header(&answer, "Content-Length"));
        assert_null(header(&answer, "Transfer-Encoding"));
        assert_null(header(&answer, "Server"));
        if (plain_requests[i].allow != NULL) {
            assert_string_equal(header(&answer, "Allow"), plain_requests[i].allow);
        } else {
            assert_null(header(&answer, "Allow"));
        }
        if (plain_requests[i].body != NULL) {
            assert_true(view_is_text(answer.body, plain_requests[i].body));
        }
        assert_int_equal(scene.jobs - jobs_before, plain_requests[i].jobs);
    }
    stop(&scene);
    assert_int_equal(live_get(&scene.live, LIVE_REQUESTS), COUNT(plain_requests));
}

static void caches_only_what_is_read(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    ask(&scene, "GET /?operation=GetCACert HTTP/1.0\r\n\r\n", &answer);
    assert_string_equal(header(&answer, "Cache-Control"), "max-age=60");
    ask(&scene, "GET /?operation=PKIOperation&message=MIIB HTTP/1.0\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(header(&answer, "Cache-Control"), "no-store");
    ask(&scene, "GET /?operation=GetNextCACert HTTP/1.0\r\n\r\n", &answer);
    assert_string_equal(header(&answer, "Cache-Control"), "no-store");
    stop(&scene);
}

static void shows_the_certificates(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    struct buf expected = {0};
    bool is_single = false;
    start(&scene);
    struct policy *policy = live_policy_get(scene.live.policy);
    assert_int_equal(credentials_get_ca_cert(policy->credentials, policy->settings, KIT_NOW,
                                             &expected, &is_single, NULL),
                     ERR_OK);
    assert_false(is_single);
    ask(&scene, "GET /?operation=GetCACert HTTP/1.0\r\n\r\n", &answer);
    assert_true(view_equal(answer.body, buf_view(&expected)));
    buf_done(&expected);

    // After a reload with one certificate to show.
    struct settings *settings = make_settings();
    settings->scep.get_ca_cert_count = 1;
    policy_unref(policy);
    policy = make_policy(settings);
    live_policy_replace(scene.live.policy, policy);
    const X509 *ra = credentials_ra(policy->credentials)->cert;
    assert_int_equal(ossl_cert_to_der(ra, &expected, NULL), ERR_OK);
    ask(&scene, "GET /?operation=GetCACert HTTP/1.0\r\n\r\n", &answer);
    assert_string_equal(header(&answer, "Content-Type"), "application/x-x509-ca-cert");
    assert_true(view_equal(answer.body, buf_view(&expected)));
    buf_done(&expected);
    stop(&scene);
}

// --- What is served beside SCEP.

#define CRL_OCTETS   "\x30\x03\x02\0\x05 a CRL"
#define NEXT_OCTETS  "\x30\x03\x02\0\x06 the next CA"
#define SIZE_OF(all) (sizeof(all) - 1)
#define STORE_OCTETS (16u << 20)
#define REQUEST_LEN  256

// A store without a CRL, for the scene that is started.
static void open_store(struct scene *scene, const char *folder)
{
    char *directory = kit_path(folder, "store");
    assert_int_equal(store_open(directory, STORE_OCTETS, &scene->live.store, NULL), ERR_OK);
    assert_int_equal(writer_start(scene->live.store, &scene->live.writer, NULL), ERR_OK);
    free(directory);
}

static void close_store(struct scene *scene)
{
    writer_stop(scene->live.writer);
    store_close(scene->live.store);
}

static void write_crl(struct scene *scene, const struct generation *generation)
{
    struct store_crl crl = {.number = 1, .this_update = KIT_NOW, .next_update = KIT_NOW + DAY_SEC};
    struct write_order order = {.kind = WRITE_CRL, .now = KIT_NOW, .crl = &crl};
    memcpy(crl.issuer, generation->id, SHA256_LEN);
    assert_int_equal(buf_copy(view_of(CRL_OCTETS, SIZE_OF(CRL_OCTETS)), &crl.der, NULL), ERR_OK);
    assert_int_equal(writer_submit_and_wait(scene->live.writer, &order, NULL), ERR_OK);
    store_crl_done(&crl);
}

// "METHOD BEFORE<name of the CA>AFTER", answered.
static void ask_for(const struct scene *scene, const char *const parts[2], const char *name,
                    struct answer *answer)
{
    char request[REQUEST_LEN];
    int len =
        snprintf(request, sizeof request, "%s%s%s HTTP/1.0\r\n\r\n", parts[0], name, parts[1]);
    assert_in_range(len, 1, REQUEST_LEN - 1);
    ask(scene, request, answer);
}

static void assert_served(const struct answer *answer, const char *type, struct view body)
{
    assert_int_equal(answer->status, 200);
    assert_string_equal(header(answer, "Content-Type"), type);
    assert_string_equal(header(answer, "Cache-Control"), "max-age=60");
    assert_true(view_equal(answer->body, body));
}

static void assert_error(const struct answer *answer, unsigned status, const char *text)
{
    assert_int_equal(answer->status, status);
    assert_string_equal(header(answer, "Content-Type"), "text/plain");
    assert_string_equal(header(answer, "Cache-Control"), "no-store");
    assert_true(view_is_text(answer->body, text));
}

static void serves_crls(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    char *folder = kit_new_folder();
    start(&scene);
    open_store(&scene, folder);
    struct policy *policy = live_policy_get(scene.live.policy);
    const struct generation *ca = credentials_issuing(policy->credentials);
    const char *const get[] = {"GET /crl/", ".crl"};
    ask_for(&scene, get, ca->name, &answer);
    assert_error(&answer, 400, "the URL names no operation\n"); // none was made yet
    write_crl(&scene, ca);
    ask_for(&scene, get, ca->name, &answer);
    const struct view octets = view_of(CRL_OCTETS, SIZE_OF(CRL_OCTETS));
    assert_served(&answer, "application/pkix-crl", octets);
    ask_for(&scene, (const char *[]){"GET /crl/", ".crl?x=y"}, ca->name, &answer);
    assert_served(&answer, "application/pkix-crl", octets);
    ask_for(&scene, (const char *[]){"GET /%63rl/", ".cr%6c"}, ca->name, &answer);
    assert_served(&answer, "application/pkix-crl", octets);
    ask_for(&scene, (const char *[]){"HEAD /crl/", ".crl"}, ca->name, &answer);
    assert_string_equal(header(&answer, "Content-Length"), "11");
    assert_served(&answer, "application/pkix-crl", VIEW_EMPTY);
    ask_for(&scene, get, "0123456789abcdef", &answer);
    assert_error(&answer, 400, "the URL names no operation\n");
    // An operation goes before the path, a wrong one too.
    ask_for(&scene, (const char *[]){"GET /crl/", ".crl?operation=GetCACaps"}, ca->name, &answer);
    assert_served(&answer, "text/plain", view_of_text("AES\nPOSTPKIOperation\n"));
    ask_for(&scene, (const char *[]){"GET /crl/", ".crl?operation=x"}, ca->name, &answer);
    assert_error(&answer, 400, "the operation is not known\n");
    assert_int_equal(scene.jobs, 0);
    policy_unref(policy);
    stop(&scene);
    close_store(&scene);
    kit_remove_folder(folder);
}

static void serves_ca_certificates(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    struct buf issuing = {0};
    struct buf root = {0};
    start(&scene);
    struct policy *policy = live_policy_get(scene.live.policy);
    const struct generation *ca = credentials_issuing(policy->credentials);
    assert_int_equal(ossl_cert_to_der(ca->cert, &issuing, NULL), ERR_OK);
    assert_int_equal(ossl_cert_to_der(credentials_root(policy->credentials), &root, NULL), ERR_OK);
    ask_for(&scene, (const char *[]){"GET /ca/", ".cer"}, ca->name, &answer);
    assert_served(&answer, "application/pkix-cert", buf_view(&issuing));
    ask_for(&scene, (const char *[]){"HEAD /ca/", ".cer"}, ca->name, &answer);
    assert_served(&answer, "application/pkix-cert", VIEW_EMPTY);
    ask_for(&scene, (const char *[]){"GET /ca/", ".cer"}, "root", &answer);
    assert_served(&answer, "application/pkix-cert", buf_view(&root));
    ask_for(&scene, (const char *[]){"GET /ca/", ".crt"}, ca->name, &answer);
    assert_error(&answer, 400, "the URL names no operation\n");
    assert_int_equal(live_get(&scene.live, LIVE_BAD_HTTP), 1);
    policy_unref(policy);
    buf_done(&issuing);
    buf_done(&root);
    stop(&scene);
}

// Paths for all CAs alike, after a reload.
static void serves_fixed_paths(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    char *folder = kit_new_folder();
    struct settings *settings = make_settings();
    const char **paths[] = {&settings->http.crl_path, &settings->http.ca_path};
    static const char *const texts[] = {"/list.crl", "/ca.cer"};
    struct buf issuing = {0};
    start(&scene);
    open_store(&scene, folder);
    ask(&scene, "GET /list.crl HTTP/1.0\r\n\r\n", &answer);
    assert_error(&answer, 400, "the URL names no operation\n");
    for (size_t i = 0; i < COUNT(paths); i++) {
        free((void *)*paths[i]);
        *paths[i] = strdup(texts[i]);
    }
    struct policy *policy = make_policy(settings);
    const struct generation *ca = credentials_issuing(policy->credentials);
    write_crl(&scene, ca);
    assert_int_equal(ossl_cert_to_der(ca->cert, &issuing, NULL), ERR_OK);
    live_policy_replace(scene.live.policy, policy);
    ask(&scene, "GET /list.crl HTTP/1.0\r\n\r\n", &answer);
    assert_served(&answer, "application/pkix-crl", view_of(CRL_OCTETS, SIZE_OF(CRL_OCTETS)));
    ask(&scene, "GET /ca.cer HTTP/1.0\r\n\r\n", &answer);
    assert_served(&answer, "application/pkix-cert", buf_view(&issuing));
    ask_for(&scene, (const char *[]){"GET /ca/", ".cer"}, ca->name, &answer);
    assert_error(&answer, 400, "the URL names no operation\n");
    buf_done(&issuing);
    stop(&scene);
    close_store(&scene);
    kit_remove_folder(folder);
}

// As everywhere: a body posted without an operation is a message, other methods are none.
static void serves_these_to_readers_only(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    struct policy *policy = live_policy_get(scene.live.policy);
    const char *name = credentials_issuing(policy->credentials)->name;
    static const char *const targets[][2] = {
        {" /crl/", ".crl"}, {" /ca/", ".cer"}, {" /ca/root.cer?", ""}};
    static const char *const methods[] = {"PUT", "DELETE", "OPTIONS", "BREW"};
    for (size_t i = 0; i < COUNT(targets); i++) {
        char start_of[REQUEST_LEN];
        for (size_t j = 0; j < COUNT(methods); j++) {
            snprintf(start_of, sizeof start_of, "%s%s", methods[j], targets[i][0]);
            ask_for(&scene, (const char *[]){start_of, targets[i][1]}, name, &answer);
            assert_error(&answer, 405, "this operation does not know the method\n");
            assert_string_equal(header(&answer, "Allow"), "GET");
        }
        snprintf(start_of, sizeof start_of, "POST%s", targets[i][0]);
        ask_for(&scene, (const char *[]){start_of, targets[i][1]}, name, &answer);
        assert_error(&answer, 400, "the body is empty\n");
    }
    assert_int_equal(scene.jobs, 0);
    ask(&scene, "POST /ca/root.cer HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(header(&answer, "Content-Type"), "application/x-pki-message");
    assert_int_equal(scene.jobs, 1);
    policy_unref(policy);
    stop(&scene);
}

static void answers_about_the_next_ca(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    struct buf next_ca = {0};
    start(&scene);
    ask(&scene, "GET /?operation=GetNextCACert HTTP/1.0\r\n\r\n", &answer);
    assert_error(&answer, 404, "there is no next CA certificate\n");
    struct policy *policy = make_policy(make_settings());
    const struct view octets = view_of(NEXT_OCTETS, SIZE_OF(NEXT_OCTETS));
    assert_int_equal(buf_copy(octets, &next_ca, NULL), ERR_OK);
    policy_set_next_ca(policy, &next_ca);
    live_policy_replace(scene.live.policy, policy);
    ask(&scene, "GET /?operation=GetNextCACert HTTP/1.0\r\n\r\n", &answer);
    assert_served(&answer, "application/x-x509-next-ca-cert", octets);
    ask(&scene, "GET " PATH "?operation=getnextcacert&message=x HTTP/1.0\r\n\r\n", &answer);
    assert_served(&answer, "application/x-x509-next-ca-cert", octets);
    ask(&scene, "HEAD /?operation=GetNextCACert HTTP/1.0\r\n\r\n", &answer);
    assert_served(&answer, "application/x-x509-next-ca-cert", VIEW_EMPTY);
    ask(&scene, "POST /?operation=GetNextCACert HTTP/1.0\r\nContent-Length: 0\r\n\r\n", &answer);
    assert_error(&answer, 405, "this operation does not know the method\n");
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.0\r\n\r\n", &answer);
    assert_non_null(memmem(answer.body.data, answer.body.len, "GetNextCACert\n", 14));
    stop(&scene);
}

static void takes_messages_in_urls_as_clients_write_them(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    const char *const targets[] = {
        "?operation=PKIOperation&message=MIL7%2F78AIG1lc3NhZ2U%3D",
        "?operation=PKIOperation&message=MIL7/78AIG1lc3NhZ2U=",
        "?operation=PKIOperation&message=MIL7/78AIG1lc3NhZ2U",
        "?operation=PKIOperation&message=MIL7_78AIG1lc3NhZ2U",
        "?operation=PKIOperation&message=MIL7%2F78AIG1l%0Ac3NhZ2U%3D%0A",
        "?operation=PKIOperation&message=MIL7%2F78A%0D%0AIG1lc3NhZ2U%3D%0D%0A",
        "?operation=PKIOperation&message=MIL7/78AIG1lc3NhZ2U=&message=AAAA",
        "?message=MIL7/78AIG1lc3NhZ2U=&operation=pkioperation",
        "??operation=PKIOperation&message=MIL7/78AIG1lc3NhZ2U=&CAIdent=x",
    };
    start(&scene);
    for (size_t i = 0; i < COUNT(targets); i++) {
        char request[512];
        snprintf(request, sizeof request, "GET " PATH "%s HTTP/1.0\r\n\r\n", targets[i]);
        ask(&scene, request, &answer);
        assert_int_equal(answer.status, 200);
        assert_true(is_last_message(&scene, view_of(MESSAGE, MESSAGE_LEN)));
        assert_true(view_equal(answer.body, view_of(REPLY, REPLY_LEN)));
    }
    // A '+' of base64 that was not percent-encoded.
    ask(&scene, "GET /?operation=PKIOperation&message=++++ HTTP/1.0\r\n\r\n", &answer);
    assert_true(is_last_message(&scene, view_of("\xfb\xef\xbe", 3)));
    stop(&scene);
}

static void takes_bodies_as_clients_send_them(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    const char *const heads[] = {
        "POST " PATH "?operation=PKIOperation HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Type: application/x-pki-message\r\nContent-Length: 14\r\n\r\n",
        "POST " PATH "?operation=PKIOperation HTTP/1.1\r\nConnection: close\r\n"
        "Content-Length: 14\r\n\r\n",
        "POST " PATH "?operation=PKIOperation HTTP/1.0\r\nContent-Type: \r\n"
        "Content-Length: 14\r\n\r\n",
        "POST " PATH " HTTP/1.0\r\nContent-Type: application/octet-stream\r\n"
        "Content-Length: 14\r\n\r\n",
        "POST " PATH "?operation=PKIOperation HTTP/1.0\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 14\r\n\r\n",
        "POST " PATH "?message=AAAA HTTP/1.1\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\n\r\n",
    };
    start(&scene);
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct buf request = {0};
        bool is_chunked = strstr(heads[i], "chunked") != NULL;
        const struct view parts[] = {
            view_of_text(heads[i]),
            view_of_text(is_chunked ? "e\r\n" : ""),
            view_of(MESSAGE, MESSAGE_LEN),
            view_of_text(is_chunked ? "\r\n0\r\n\r\n" : ""),
        };
        for (size_t j = 0; j < COUNT(parts); j++) {
            assert_int_equal(buf_append(&request, parts[j], NULL), ERR_OK);
        }
        ask_octets(&scene, buf_view(&request), &answer);
        buf_done(&request);
        assert_int_equal(answer.status, 200);
        assert_string_equal(header(&answer, "Content-Type"), "application/x-pki-message");
        assert_int_equal(scene.jobs, i + 1);
        assert_true(is_last_message(&scene, view_of(MESSAGE, MESSAGE_LEN)));
        assert_true(view_equal(answer.body, view_of(REPLY, REPLY_LEN)));
    }
    stop(&scene);
}

static void waits_for_a_slow_body(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    int fd = dial(&scene);
    send_text(fd, "POST /?operation=PKIOperation HTTP/1.1\r\nExpect: 100-continue\r\n"
                  "Connection: close\r\nContent-Length: 4\r\n\r\n");
    read_head(fd, &answer);
    assert_int_equal(answer.status, 100);
    send_text(fd, "ab");
    assert_int_equal(scene.jobs, 0);
    send_text(fd, "cd");
    read_last(fd, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(is_last_message(&scene, view_of_text("abcd")));
    close(fd);
    stop(&scene);
}

static void speaks_http_of_any_age(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.0\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.0\r\nHost: x\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.1\r\nConnection: close\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
        &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.len, strlen("AES\nPOSTPKIOperation\n"));
    stop(&scene);
}

static void keeps_connections(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    int fd = dial(&scene);
    for (unsigned i = 0; i < 3; i++) {
        send_text(fd, "POST /?operation=PKIOperation HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd");
        read_one(fd, &answer);
        assert_int_equal(answer.status, 200);
        send_text(fd, "PUT /?operation=PKIOperation HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd");
        read_one(fd, &answer);
        assert_int_equal(answer.status, 405);
        send_text(fd, "GET /?operation=GetCACaps HTTP/1.1\r\n\r\n");
        read_one(fd, &answer);
        assert_int_equal(answer.status, 200);
    }
    assert_int_equal(scene.jobs, 3);
    close(fd);
    stop(&scene);
}

// A POST of `len` octets, its length declared or chunked.
static struct buf long_post(size_t len, bool is_chunked)
{
    char head[256];
    struct buf request = {0};
    snprintf(head, sizeof head,
             is_chunked ? "POST / HTTP/1.1\r\nConnection: close\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n%zx\r\n"
                        : "POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
             len);
    assert_int_equal(buf_append(&request, view_of_text(head), NULL), ERR_OK);
    assert_int_equal(buf_reserve(&request, len, NULL), ERR_OK);
    memset(request.data + request.len, 'm', len);
    request.len += len;
    if (is_chunked) {
        assert_int_equal(buf_append(&request, view_of_text("\r\n0\r\n\r\n"), NULL), ERR_OK);
    }
    return request;
}

static void bounds_bodies(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    const struct {
        size_t len;
        bool is_chunked;
        unsigned status;
    } cases[] = {
        {LIMIT_MESSAGE_LEN, false, 200},     {LIMIT_MESSAGE_LEN, true, 200},
        {LIMIT_MESSAGE_LEN + 1, false, 413}, {LIMIT_MESSAGE_LEN + 1, true, 413},
        {8 * LIMIT_MESSAGE_LEN, true, 413},
    };
    start(&scene);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf request = long_post(cases[i].len, cases[i].is_chunked);
        ask_octets(&scene, buf_view(&request), &answer);
        buf_done(&request);
        assert_int_equal(answer.status, cases[i].status);
        if (cases[i].status == 413) {
            assert_true(view_is_text(answer.body, "the message is longer than 65536 octets\n"));
        }
    }
    assert_int_equal(scene.jobs, 2);
    assert_int_equal(last_message_len(&scene), LIMIT_MESSAGE_LEN);
    stop(&scene);
}

static void refuses_a_declared_length_before_the_body(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    const char *const heads[] = {
        "POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 65537\r\nExpect: 100-continue\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n",
        "GET /?operation=GetCACaps HTTP/1.1\r\nContent-Length: 65537\r\n\r\n",
    };
    start(&scene);
    for (size_t i = 0; i < COUNT(heads); i++) {
        ask(&scene, heads[i], &answer); // not one octet of the body is sent
        assert_int_equal(answer.status, 413);
    }
    stop(&scene);
}

static void ends_endless_bodies(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    static char chunk[LIMIT_MESSAGE_LEN];
    char head[16];
    start(&scene);
    int fd = dial(&scene);
    send_text(fd, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    snprintf(head, sizeof head, "%zx\r\n", sizeof chunk);
    memset(chunk, 'm', sizeof chunk);
    unsigned chunks = 0;
    while (chunks < 1000 && send_all(fd, view_of_text(head)) &&
           send_all(fd, view_of(chunk, sizeof chunk)) && send_all(fd, view_of("\r\n", 2))) {
        chunks++;
    }
    assert_true(chunks < 1000);
    close(fd);
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.0\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(scene.jobs, 0);
    stop(&scene);
}

// A GET with a message of `len` octets and a line break after each 64 digits; at worst one digit in
// 32 must be percent-encoded, as in random data.
static struct buf long_get(size_t len, bool is_worst)
{
    struct buf request = {0};
    struct view digit = view_of_text(is_worst ? "%2F" : "A");
    assert_int_equal(
        buf_append(&request, view_of_text("GET /?operation=PKIOperation&message="), NULL), ERR_OK);
    for (size_t i = 0; i < len / 3 * 4; i++) {
        assert_int_equal(buf_append(&request, i % 32 == 0 ? digit : view_of_text("A"), NULL),
                         ERR_OK);
        if (i % 64 == 63) {
            assert_int_equal(buf_append(&request, view_of_text("%0A"), NULL), ERR_OK);
        }
    }
    assert_int_equal(buf_append(&request, view_of_text(" HTTP/1.0\r\n\r\n"), NULL), ERR_OK);
    return request;
}

static void bounds_urls(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    const struct {
        size_t len;
        bool is_worst;
        unsigned status;
    } cases[] = {
        {30000, false, 200}, {65535, false, 200},  {65535, true, 200},
        {65538, false, 414}, {300000, false, 414},
    };
    start(&scene);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf request = long_get(cases[i].len, cases[i].is_worst);
        ask_octets(&scene, buf_view(&request), &answer);
        buf_done(&request);
        assert_int_equal(answer.status, cases[i].status);
        if (cases[i].status == 200) {
            assert_int_equal(last_message_len(&scene), cases[i].len);
        }
    }
    stop(&scene);
}

static void tells_what_a_job_came_to(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    const struct {
        struct plan plan;
        unsigned status;
        const char *type;
        const char *retry;
        struct view body;
        enum live_count count;
    } cases[] = {
        {{ANSWER, ENROLL_REPLY, "issue", ""},
         200,
         "application/x-pki-message",
         NULL,
         view_of(REPLY, REPLY_LEN),
         LIVE_ISSUED},
        {{ANSWER, ENROLL_REPLY, "replay", ""},
         200,
         "application/x-pki-message",
         NULL,
         view_of(REPLY, REPLY_LEN),
         LIVE_REPLAYED},
        {{ANSWER, ENROLL_REPLY, "refuse", ""},
         200,
         "application/x-pki-message",
         NULL,
         view_of(REPLY, REPLY_LEN),
         LIVE_REFUSED},
        {{ANSWER, ENROLL_UNANSWERABLE, "unanswerable", "not a SignedData: \r\n\xe4 tag"},
         400,
         "text/plain",
         NULL,
         view_of_text("not a SignedData: ??? tag\n"),
         LIVE_BAD_HTTP},
        {{ANSWER, ENROLL_UNAVAILABLE, "unavailable", "the store is full: /var/lib/secret place"},
         503,
         "text/plain",
         "10",
         view_of_text("the server cannot answer at present; try again later\n"),
         LIVE_UNAVAILABLE},
    };
    start(&scene);
    for (size_t i = 0; i < COUNT(cases); i++) {
        set_plan(&scene, &cases[i].plan);
        ask(&scene, "GET /?operation=PKIOperation&message=MIIB HTTP/1.0\r\n\r\n", &answer);
        assert_int_equal(answer.status, cases[i].status);
        assert_string_equal(header(&answer, "Content-Type"), cases[i].type);
        const char *retry = header(&answer, "Retry-After");
        assert_int_equal(retry != NULL, cases[i].retry != NULL);
        if (retry != NULL) {
            assert_string_equal(retry, cases[i].retry);
        }
        assert_true(view_equal(answer.body, cases[i].body));
        assert_int_equal(live_get(&scene.live, cases[i].count), 1);
    }
    assert_int_equal(live_get(&scene.live, LIVE_REQUESTS), COUNT(cases));
    stop(&scene);
}

static void says_when_the_queue_is_full(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    set_plan(&scene, &full);
    ask(&scene, "POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd", &answer);
    assert_int_equal(answer.status, 503);
    assert_string_equal(header(&answer, "Retry-After"), "10");
    assert_true(view_is_text(answer.body, "too many requests are waiting; try again later\n"));
    set_plan(&scene, &issue);
    ask(&scene, "POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd", &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(live_get(&scene.live, LIVE_UNAVAILABLE), 1);
    stop(&scene);
}

static void serves_others_while_jobs_run(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    set_plan(&scene, &hold);
    int first = dial(&scene);
    send_text(first, "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nfirst");
    struct work_item *first_item = wait_for_job(&scene);
    int second = dial(&scene);
    send_text(second, "POST / HTTP/1.0\r\nContent-Length: 6\r\n\r\nsecond");
    struct work_item *second_item = wait_for_job(&scene);
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.0\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_true(view_is_text(first_item->job.message, "first"));
    assert_true(view_is_text(second_item->job.message, "second"));
    finish(&hold, second_item);
    read_last(second, &answer);
    assert_int_equal(answer.status, 200);
    finish(&hold, first_item);
    read_last(first, &answer);
    assert_true(view_equal(answer.body, view_of(REPLY, REPLY_LEN)));
    close(first);
    close(second);
    stop(&scene);
}

static void survives_clients_that_leave(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    start(&scene);
    set_plan(&scene, &hold);
    int fd = dial(&scene);
    send_text(fd, "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nfirst");
    struct work_item *item = wait_for_job(&scene);
    close(fd);
    fd = dial(&scene);
    send_text(fd, "POST / HTTP/1.0\r\nContent-Length: 500\r\n\r\nnot all of it");
    close(fd);
    finish(&hold, item);
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.0\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(scene.jobs, 1);
    stop(&scene);
}

static void *finish_main(void *argument)
{
    struct scene *scene = argument;
    finish(&hold, wait_for_job(scene));
    return NULL;
}

static void sends_answers_under_way_before_it_ends(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    pthread_t finisher;
    start(&scene);
    set_plan(&scene, &hold);
    int idle = dial(&scene); // holds nothing up
    int fd = dial(&scene);
    send_text(fd, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nfirst");
    assert_int_equal(pthread_create(&finisher, NULL, finish_main, &scene), 0);
    pthread_join(finisher, NULL); // the job is done, but perhaps nothing is sent yet
    stop(&scene);
    read_last(fd, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(view_equal(answer.body, view_of(REPLY, REPLY_LEN)));
    close(fd);
    close(idle);
}

static void limits_connections_of_an_address(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    struct settings *settings = make_settings();
    settings->http.connections_per_address = 2;
    start_on(&scene, "127.0.0.1:0", settings);
    int fds[2];
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = dial(&scene);
        send_text(fds[i], "GET /?operation=GetCACaps HTTP/1.1\r\n\r\n");
        read_one(fds[i], &answer);
        assert_int_equal(answer.status, 200);
    }
    int third = dial(&scene);
    char octet;
    assert_true(recv(third, &octet, 1, 0) <= 0); // closed at once
    close(third);
    send_text(fds[0], "GET /?operation=GetCACaps HTTP/1.1\r\n\r\n");
    read_one(fds[0], &answer);
    assert_int_equal(answer.status, 200);
    close(fds[0]);
    close(fds[1]);
    stop(&scene);
}

static void serves_ipv4_on_the_ipv6_address(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe < 0) {
        skip(); // a kernel without IPv6
    }
    close(probe);
    start_on(&scene, "[::]:0", make_settings());
    assert_memory_equal(scene.live.listening, "[::]:", strlen("[::]:"));
    ask(&scene, "GET /?operation=GetCACaps HTTP/1.0\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    stop(&scene);
}

static void survives_garbage(void **state)
{
    (void)state;
    static struct scene scene;
    static struct answer answer;
    const struct {
        struct view octets;
        unsigned status; // 0 = not enough for an answer
    } cases[] = {
        {view_of_text("\r\n\r\n"), 0},
        {view_of_text("\x16\x03\x01\x02\x01\x01"), 0},
        {view_of_text("GET\r\n\r\n"), 0},
        {view_of_text("POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 70000\r\n\r\nab"),
         0},
        {view_of_text("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nabcd"), 400},
        {view_of_text("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 400},
        {view_of_text("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"), 413},
        {view_of(NUL_REQUEST, sizeof NUL_REQUEST - 1), 200},
    };
    start(&scene);
    for (size_t i = 0; i < COUNT(cases); i++) {
        int fd = dial(&scene);
        assert_true(send_all(fd, cases[i].octets));
        if (cases[i].status != 0) {
            read_last(fd, &answer);
            assert_int_equal(answer.status, cases[i].status);
        }
        close(fd);
        ask(&scene, "GET /?operation=GetCACaps HTTP/1.0\r\n\r\n", &answer);
        assert_int_equal(answer.status, 200);
    }
    assert_int_equal(scene.jobs, 0);
    stop(&scene);
}

static int quiet(void **state)
{
    (void)state;
    log_init("test_http", LOG_LEVEL_ERROR);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_each_operation_and_method),
        cmocka_unit_test(caches_only_what_is_read),
        cmocka_unit_test(shows_the_certificates),
        cmocka_unit_test(serves_crls),
        cmocka_unit_test(serves_ca_certificates),
        cmocka_unit_test(serves_fixed_paths),
        cmocka_unit_test(serves_these_to_readers_only),
        cmocka_unit_test(answers_about_the_next_ca),
        cmocka_unit_test(takes_messages_in_urls_as_clients_write_them),
        cmocka_unit_test(takes_bodies_as_clients_send_them),
        cmocka_unit_test(waits_for_a_slow_body),
        cmocka_unit_test(speaks_http_of_any_age),
        cmocka_unit_test(keeps_connections),
        cmocka_unit_test(bounds_bodies),
        cmocka_unit_test(refuses_a_declared_length_before_the_body),
        cmocka_unit_test(ends_endless_bodies),
        cmocka_unit_test(bounds_urls),
        cmocka_unit_test(tells_what_a_job_came_to),
        cmocka_unit_test(says_when_the_queue_is_full),
        cmocka_unit_test(serves_others_while_jobs_run),
        cmocka_unit_test(survives_clients_that_leave),
        cmocka_unit_test(sends_answers_under_way_before_it_ends),
        cmocka_unit_test(limits_connections_of_an_address),
        cmocka_unit_test(serves_ipv4_on_the_ipv6_address),
        cmocka_unit_test(survives_garbage),
    };
    return cmocka_run_group_tests(tests, quiet, NULL);
}
