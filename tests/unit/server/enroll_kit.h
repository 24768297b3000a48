// SPDX-License-Identifier: Apache-2.0
// The conveyor with everything around it: a CA at its socket, a store with its writer, phones that
// ask. enroll_answer.h reads the answers.
#pragma once

#include "kit/kit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ca/service.h"
#include "kit/pkimessage.h"
#include "ra/enroll.h"
#include "server/site_kit.h"
#include "tests/mic/mic_factory.h"

#define STATIC_CHALLENGE "static-secret"
#define DEADLINE_SEC     30
#define BENCH_OCTETS     (64u << 20) // of the store at most
#define BACKLOG          64
#define PHONES           3
#define KIT_SOURCE       "192.0.2.1" // where all requests come from

// Ends the program: cmocka's assertions only work on the main thread.
static inline void must(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "enroll kit: %s\n", what);
        abort();
    }
}

// ---- one a program: the files of a CA, the CA at work, phones ----

struct phone {
    EVP_PKEY *key;
    X509 *cert; // self-signed
    char common_name[32];
};

struct site {
    char *folder;
    char *directory; // of the CA's files
    char *config;
    char *ca_path; // the CA's socket
    struct service *service;
    int listen_fd;
    int wake[2]; // closing [1] ends the thread
    pthread_t thread;
    struct phone phones[PHONES];
    struct mic_factory *mics; // NULL = no manufacturer's certificates are trusted
};

static inline void *site_serve(void *context)
{
    struct site *site = context;
    for (;;) {
        struct pollfd fds[] = {
            {.fd = site->listen_fd, .events = POLLIN},
            {.fd = site->wake[0], .events = POLLIN},
        };
        poll(fds, 2, -1);
        if (fds[1].revents != 0) {
            return NULL;
        }
        service_accept(site->service, site->listen_fd);
    }
}

static inline void site_start_ca(struct site *site, int64_t (*clock)(void))
{
    struct err err = {0};
    struct authorities *authorities = NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct settings *settings = site_settings(site->config);
    if (authorities_load(settings, clock(), &authorities, NULL, &err) != ERR_OK ||
        service_new(authorities, clock, &site->service, &err) != ERR_OK) {
        fail_msg("CA: %s", err.text);
    }
    settings_free(settings);
    memcpy(address.sun_path, site->ca_path, strlen(site->ca_path));
    site->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(site->listen_fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(site->listen_fd, BACKLOG), 0);
    assert_int_equal(pipe(site->wake), 0);
    assert_int_equal(pthread_create(&site->thread, NULL, site_serve, site), 0);
}

// The CA is gone, if it was there; site_start_ca() brings it back.
static inline void site_stop_ca(struct site *site)
{
    if (site->service == NULL) {
        return;
    }
    close(site->wake[1]);
    pthread_join(site->thread, NULL);
    close(site->wake[0]);
    service_free(site->service);
    site->service = NULL;
    close(site->listen_fd);
    unlink(site->ca_path);
}

static inline void site_make_phones(struct site *site)
{
    for (unsigned i = 0; i < PHONES; i++) {
        struct phone *phone = &site->phones[i];
        snprintf(phone->common_name, sizeof phone->common_name, "CP-8841-SEP0011223344%02X", i);
        phone->key = kit_key(i);
        phone->cert = kit_cert(phone->key, phone->common_name, NULL, NULL, false, KIT_NOW, 5);
    }
}

// The files of a CA that does not run yet, made by `init`.
static inline void site_make_by(struct site *site,
                                void (*init)(const char *folder, const char *static_file))
{
    *site = (struct site){.folder = kit_new_folder()};
    char *static_file = kit_write(site->folder, "static", view_of_text(STATIC_CHALLENGE "\n"));
    site->directory = kit_path(site->folder, "ca");
    site->config = kit_path(site->directory, INIT_CONFIG);
    site->ca_path = kit_path(site->folder, "ca.sock");
    init(site->directory, static_file);
    site_make_phones(site);
    free(static_file);
}

static inline void site_make(struct site *site)
{
    site_make_by(site, site_init);
}

// `clock` is the CA's. Ended with site_close().
static inline void site_open(struct site *site, int64_t (*clock)(void))
{
    site_make(site);
    site_start_ca(site, clock);
}

// Adds lines to the settings.
static inline void site_configure(struct site *site, const char *lines)
{
    FILE *file = fopen(site->config, "a");
    assert_non_null(file);
    assert_true(fputs(lines, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

// The same for a site that trusts the MICs of tests/mic but for those signed with SHA-1.
static inline void site_open_with_mics(struct site *site, int64_t (*clock)(void))
{
    static const char store[] = "\nmic = ( { name = \"test MICs\"; roots = [\"roots.pem\"]; "
                                "intermediates = [\"intermediates.pem\"]; } );\n";
    site_make(site);
    site->mics = mic_factory_new(KIT_NOW);
    mic_factory_write(site->mics, site->directory);
    site_configure(site, store);
    site_start_ca(site, clock);
}

static inline void site_close(struct site *site)
{
    site_stop_ca(site);
    for (unsigned i = 0; i < PHONES; i++) {
        X509_free(site->phones[i].cert);
    }
    if (site->mics != NULL) {
        mic_factory_free(site->mics);
    }
    free(site->ca_path);
    free(site->config);
    free(site->directory);
    kit_remove_folder(site->folder);
}

// ---- one a test: an empty store and the service ----

struct bench {
    struct site *site;
    char *folder;
    struct policy *policy;
    struct store *store;
    struct writer *writer;
    struct enroll_service *service;
    struct ca_client *ca;
    int64_t now;
};

static inline void bench_open(struct bench *bench, struct site *site, uint64_t store_octets)
{
    *bench = (struct bench){.site = site, .folder = kit_new_folder(), .now = KIT_NOW};
    bench->policy = site_policy(site->config);
    char *directory = kit_path(bench->folder, "store");
    assert_int_equal(store_open(directory, store_octets, &bench->store, NULL), ERR_OK);
    free(directory);
    assert_int_equal(writer_start(bench->store, &bench->writer, NULL), ERR_OK);
    assert_int_equal(enroll_service_new(bench->store, bench->writer, &bench->service, NULL),
                     ERR_OK);
    assert_int_equal(ca_client_new(site->ca_path, &bench->ca, NULL), ERR_OK);
}

static inline void bench_close(struct bench *bench)
{
    ca_client_free(bench->ca);
    writer_stop(bench->writer);
    enroll_service_free(bench->service);
    store_close(bench->store);
    policy_unref(bench->policy);
    kit_remove_folder(bench->folder);
}

static inline uint64_t count_certificates(struct bench *bench)
{
    struct store_counts counts;
    assert_int_equal(store_count(bench->store, &counts, NULL), ERR_OK);
    return counts.certificates;
}

// A one-time challenge as `like` says; for one use and an hour unless it says so. The text is what
// the phone's owner types.
static inline struct store_challenge give_challenge(struct bench *bench,
                                                    const struct store_challenge *like,
                                                    char ret_text[CHALLENGE_TEXT_LEN])
{
    struct err err = {0};
    struct write_order order = {.kind = WRITE_CHALLENGE_NEW, .now = KIT_NOW, .challenge = *like};
    struct store_challenge *challenge = &order.challenge;
    challenge->created_at = KIT_NOW;
    challenge->expires_at = like->expires_at != 0 ? like->expires_at : (int64_t)KIT_NOW + 3600;
    challenge->uses_allowed = like->uses_allowed != 0 ? like->uses_allowed : 1;
    assert_int_equal(challenge_make(&bench->policy->secrets, challenge, ret_text, NULL), ERR_OK);
    if (writer_submit_and_wait(bench->writer, &order, &err) != ERR_OK) {
        fail_msg("writer: %s", err.text);
    }
    return order.challenge;
}

static inline uint32_t uses_left(struct bench *bench, const struct store_challenge *challenge)
{
    struct store_challenge found;
    assert_int_equal(store_find_challenge(bench->store, challenge->hash, &found, NULL), ERR_OK);
    return found.uses_left;
}

// ---- asking ----

// What goes into a good PKCSReq of a phone; {0} members are the phone's own or left out.
struct ask {
    unsigned phone;
    const char *challenge;
    const char *transaction_id;
    const char *common_name; // "" = empty subject
    const char *type;        // messageType; NULL = "19"
    X509 *signer;            // instead of the phone's self-signed one
    EVP_PKEY *signer_key;    // its key; NULL = the phone's
    EVP_PKEY *key;           // of the PKCS#10; NULL = the phone's
};

static inline struct buf csr_of(const struct bench *bench, const struct ask *ask)
{
    const struct phone *phone = &bench->site->phones[ask->phone];
    const char *name = ask->common_name != NULL ? ask->common_name : phone->common_name;
    X509_NAME *subject = X509_NAME_new();
    // Not MBSTRING_UTF8, with which OpenSSL refuses names that are too long.
    if (name[0] != '\0') {
        assert_int_equal(X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                                                    (const unsigned char *)name, -1, -1, 0),
                         1);
    }
    EVP_PKEY *key = ask->key != NULL ? ask->key : phone->key;
    struct buf der =
        kit_csr_der(key, &(struct kit_csr){.subject = subject, .challenge = ask->challenge});
    X509_NAME_free(subject);
    return der;
}

// A message of a phone around `plain`, to be changed at will and made with kit_message_der().
static inline struct kit_message message_of(const struct bench *bench, const struct ask *ask,
                                            struct view plain)
{
    const struct phone *phone = &bench->site->phones[ask->phone];
    return (struct kit_message){
        .key = ask->signer_key != NULL ? ask->signer_key : phone->key,
        .signer = ask->signer != NULL ? ask->signer : phone->cert,
        .ra = credentials_ra(bench->policy->credentials)->cert,
        .message_type = {.data = ask->type},
        .transaction_id = {.data = ask->transaction_id},
        .envelope = {.plain = plain},
    };
}

static inline struct buf ask_der(const struct bench *bench, const struct ask *ask)
{
    struct buf csr = csr_of(bench, ask);
    struct kit_message message = message_of(bench, ask, buf_view(&csr));
    struct buf der = kit_message_der(&message);
    buf_done(&csr);
    return der;
}

// ---- running a job as a worker does ----

struct run {
    struct enroll_job job;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_done;
    bool is_again;
    unsigned again_count;
};

static inline void run_signal(struct enroll_job *job, bool is_again)
{
    struct run *run = job->owner;
    pthread_mutex_lock(&run->lock);
    must(!run->is_done && !run->is_again, "an answer after the answer");
    run->is_done = !is_again;
    run->is_again = is_again;
    run->again_count += is_again ? 1 : 0;
    pthread_cond_signal(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

static inline void run_on_done(struct enroll_job *job)
{
    run_signal(job, false);
}

static inline void run_on_again(struct enroll_job *job)
{
    run_signal(job, true);
}

// True when the job came back.
static inline bool run_wait(struct run *run)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += DEADLINE_SEC;
    pthread_mutex_lock(&run->lock);
    while (!run->is_done && !run->is_again) {
        must(pthread_cond_timedwait(&run->changed, &run->lock, &deadline) == 0, "no answer");
    }
    bool is_again = run->is_again;
    run->is_again = false;
    pthread_mutex_unlock(&run->lock);
    return is_again;
}

// Runs the message until it is answered; any thread. run->job has the answer.
static inline void run_message(struct bench *bench, struct ca_client *ca, struct view message,
                               struct run *run)
{
    pthread_condattr_t attributes;
    *run = (struct run){.job = {.message = message,
                                .now = bench->now,
                                .source = KIT_SOURCE,
                                .policy = policy_ref(bench->policy),
                                .done = run_on_done,
                                .again = run_on_again,
                                .owner = run}};
    pthread_mutex_init(&run->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&run->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    do {
        enroll_run(bench->service, ca, &run->job);
    } while (run_wait(run));
    must(run->job.policy == NULL && run->job.state == NULL, "a job that still holds something");
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->lock);
}
