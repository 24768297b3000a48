// SPDX-License-Identifier: Apache-2.0
// Starts a daemon as its service manager would, and keeps watch over it for a test script.
// The caller gets the daemon's process id once it has said READY=1. A keeper process stays behind:
// it notes how the daemon ended, waits for all that the daemon started, and kills everything when
// the script itself is gone. It ends after the last of them, so waiting for the keeper is waiting
// for all.
//
//   keeper start --owner PID --folder DIR --deadline SEC PROGRAM [ARGUMENT...]
//   keeper wait --folder DIR --deadline SEC
//
// DIR gets: pid, keeper (process ids), log (the daemon's standard error), notify (its messages, one
// a line), status ("exit 0", "signal 9", one line for each process that was left behind).
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS_PER_SEC      1000
#define NS_PER_MS       1000000
#define LEFT_BEHIND_SEC 5    // a child that outlives its daemon by this much was left behind
#define NOTIFY_LEN      4096 // octets of one notification with a final NUL

struct plan {
    const char *folder;
    pid_t owner;
    int deadline_sec;
    char **argv;
};

struct keeper {
    const struct plan *plan;
    pid_t daemon; // 0 once it has ended
    int owner_fd;
    int signal_fd;
    int notify_fd;
    int answer_fd; // to the process that waits for READY; -1 once it knows
    int64_t kill_at_ms;
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * MS_PER_SEC + now.tv_nsec / NS_PER_MS;
}

static void die(const char *what)
{
    fprintf(stderr, "keeper: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static int open_pid(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int open_in(const struct plan *plan, const char *name, int flags)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", plan->folder, name);
    int fd = open(path, flags | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        die(path);
    }
    return fd;
}

static void write_line(const struct plan *plan, const char *name, int flags, const char *text)
{
    int fd = open_in(plan, name, O_WRONLY | flags);
    dprintf(fd, "%s\n", text);
    close(fd);
}

static void write_pid(const struct plan *plan, const char *name, pid_t pid)
{
    char text[32];
    snprintf(text, sizeof(text), "%d", (int)pid);
    write_line(plan, name, O_TRUNC, text);
}

static pid_t read_pid(const char *folder, const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    int pid = 0;
    if (file == NULL || fscanf(file, "%d", &pid) != 1 || pid <= 0) {
        die(path);
    }
    fclose(file);
    return (pid_t)pid;
}

static int open_notify_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    // An address of the family's length alone makes the kernel choose a free abstract name.
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) != 0) {
        die("notify socket");
    }
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        die("notify socket");
    }
    int name_len = (int)(len - offsetof(struct sockaddr_un, sun_path)) - 1;
    char name[sizeof(address.sun_path) + 1];
    snprintf(name, sizeof(name), "@%.*s", name_len, address.sun_path + 1);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static int open_signal_fd(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        die("signalfd");
    }
    return fd;
}

static void run_daemon(const struct plan *plan)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int log = open_in(plan, "log", O_WRONLY | O_APPEND);
    dup2(log, STDERR_FILENO);
    execvp(plan->argv[0], plan->argv);
    die(plan->argv[0]);
}

static void answer(struct keeper *keeper, char verdict)
{
    if (keeper->answer_fd >= 0) {
        (void)!write(keeper->answer_fd, &verdict, 1);
        close(keeper->answer_fd);
        keeper->answer_fd = -1;
    }
}

static void read_notification(struct keeper *keeper)
{
    char text[NOTIFY_LEN];
    ssize_t len = recv(keeper->notify_fd, text, sizeof(text) - 1, 0);
    if (len <= 0) {
        return;
    }
    text[len] = '\0';
    write_line(keeper->plan, "notify", O_APPEND, text);
    if (strstr(text, "READY=1") != NULL) {
        answer(keeper, 'R');
    }
}

static void note_end(const struct plan *plan, int status)
{
    char text[32];
    if (WIFSIGNALED(status)) {
        snprintf(text, sizeof(text), "signal %d", WTERMSIG(status));
    } else {
        snprintf(text, sizeof(text), "exit %d", WEXITSTATUS(status));
    }
    write_line(plan, "status", O_TRUNC, text);
}

// Returns whether anything that the daemon started is still there.
static bool reap(struct keeper *keeper)
{
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0) {
            return pid == 0;
        }
        if (pid == keeper->daemon) {
            note_end(keeper->plan, status);
            keeper->daemon = 0;
            keeper->kill_at_ms = clock_ms() + LEFT_BEHIND_SEC * MS_PER_SEC;
            answer(keeper, 'E');
        }
    }
}

static void kill_children(const struct plan *plan, bool is_noted)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    int pid = 0;
    while (file != NULL && fscanf(file, "%d", &pid) == 1) {
        if (is_noted) {
            char text[32];
            snprintf(text, sizeof(text), "left behind %d", pid);
            write_line(plan, "status", O_APPEND, text);
        }
        kill(pid, SIGKILL);
    }
    if (file != NULL) {
        fclose(file);
    }
}

static int remaining_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_ms();
    return left > 0 ? (int)left : 0;
}

// One turn of the keeper's watch. Returns false when there is nothing left to keep.
static bool watch(struct keeper *keeper)
{
    struct pollfd fds[] = {
        {.fd = keeper->owner_fd, .events = POLLIN},
        {.fd = keeper->signal_fd, .events = POLLIN},
        {.fd = keeper->notify_fd, .events = POLLIN},
    };
    int timeout = keeper->kill_at_ms == 0 ? -1 : remaining_ms(keeper->kill_at_ms);
    int count = poll(fds, sizeof(fds) / sizeof(fds[0]), timeout);
    if (fds[2].revents != 0) {
        read_notification(keeper);
    }
    if (fds[1].revents != 0) {
        struct signalfd_siginfo info;
        (void)!read(keeper->signal_fd, &info, sizeof(info));
    }
    if (!reap(keeper)) {
        return false;
    }
    bool is_owner_gone = fds[0].revents != 0;
    if (is_owner_gone || count == 0) {
        answer(keeper, 'T');
        kill_children(keeper->plan, !is_owner_gone);
        keeper->owner_fd = -1; // poll() ignores it from now on
        keeper->kill_at_ms = clock_ms() + MS_PER_SEC;
    }
    return true;
}

static void keep(const struct plan *plan, int answer_fd)
{
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    write_pid(plan, "keeper", getpid());
    struct keeper keeper = {
        .plan = plan,
        .owner_fd = open_pid(plan->owner),
        .signal_fd = open_signal_fd(),
        .notify_fd = open_notify_socket(),
        .answer_fd = answer_fd,
        .kill_at_ms = clock_ms() + (int64_t)plan->deadline_sec * MS_PER_SEC,
    };
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    keeper.daemon = fork();
    if (keeper.daemon == 0) {
        run_daemon(plan);
    }
    write_pid(plan, "pid", keeper.daemon);
    dup2(null, STDERR_FILENO);
    bool is_kept = true;
    while (is_kept) {
        is_kept = watch(&keeper);
        if (keeper.answer_fd < 0 && keeper.daemon != 0 && keeper.owner_fd >= 0) {
            keeper.kill_at_ms = 0;
        }
    }
}

static int start(const struct plan *plan)
{
    int ends[2];
    if (plan->argv[0] == NULL || plan->owner <= 0 || pipe2(ends, O_CLOEXEC) != 0) {
        die("start: arguments");
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        keep(plan, ends[1]);
        exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    char verdict = 'T';
    if (read(ends[0], &verdict, 1) != 1 || verdict != 'R') {
        fprintf(stderr, "keeper: %s %s\n", plan->argv[0],
                verdict == 'E' ? "ended before it was ready" : "was not ready in time");
        return EXIT_FAILURE;
    }
    printf("%d\n", (int)read_pid(plan->folder, "pid"));
    return EXIT_SUCCESS;
}

static int wait_for_end(const struct plan *plan)
{
    int fd = open_pid(read_pid(plan->folder, "keeper"));
    if (fd < 0 && errno == ESRCH) {
        return EXIT_SUCCESS;
    }
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (fd < 0 || poll(&poll_fd, 1, plan->deadline_sec * MS_PER_SEC) < 0) {
        die("wait");
    }
    if (poll_fd.revents == 0) {
        fprintf(stderr, "keeper: %s: still running after %d s\n", plan->folder, plan->deadline_sec);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

static const char *option(char ***argv, const char *name)
{
    if ((*argv)[0] == NULL || strcmp((*argv)[0], name) != 0 || (*argv)[1] == NULL) {
        return NULL;
    }
    const char *value = (*argv)[1];
    *argv += 2;
    return value;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        die("usage: see the head of keeper.c");
    }
    char **rest = argv + 2;
    struct plan plan = {0};
    const char *owner = option(&rest, "--owner");
    plan.owner = owner != NULL ? (pid_t)strtol(owner, NULL, 10) : 0;
    plan.folder = option(&rest, "--folder");
    const char *deadline = option(&rest, "--deadline");
    plan.deadline_sec = deadline != NULL ? (int)strtol(deadline, NULL, 10) : 0;
    plan.argv = rest;
    if (plan.folder == NULL || plan.deadline_sec <= 0) {
        die("--folder and --deadline are needed, in that order");
    }
    return strcmp(argv[1], "start") == 0 ? start(&plan) : wait_for_end(&plan);
}
