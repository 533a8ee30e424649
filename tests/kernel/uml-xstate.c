/*
 * Preloaded into User Mode Linux 6.1 on processors with AMX: it hands PTRACE_SETREGSET a register
 * area of the size it was built with, which is smaller than the processor's there, and the host's
 * kernel takes nothing but the whole area. The rest is filled with zeros here, and the parts that
 * are not in it are marked as being in their initial state.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define AREA_MAX 65536
#define HEADER 512 /* the area's header, which begins with the mask of parts present */
#define AMX_PARTS (3ULL << 17)

static unsigned char area[AREA_MAX] __attribute__((aligned(64)));
static size_t area_size;

static long raw(long request, long pid, void *addr, void *data)
{
    return syscall(SYS_ptrace, request, pid, addr, data);
}

static long set_whole_area(long pid, void *addr, const struct iovec *given)
{
    uint64_t present;
    struct iovec whole = {area, AREA_MAX};

    if (area_size == 0) {
        if (raw(PTRACE_GETREGSET, pid, addr, &whole) < 0)
            return -1;
        area_size = whole.iov_len;
    }
    if (given->iov_len >= area_size || given->iov_len < HEADER + sizeof present)
        return raw(PTRACE_SETREGSET, pid, addr, (void *)given);
    memset(area + given->iov_len, 0, area_size - given->iov_len);
    memcpy(area, given->iov_base, given->iov_len);
    memcpy(&present, area + HEADER, sizeof present);
    present &= ~AMX_PARTS;
    memcpy(area + HEADER, &present, sizeof present);
    whole.iov_len = area_size;
    return raw(PTRACE_SETREGSET, pid, addr, &whole);
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list args;
    long word, rc;

    va_start(args, request);
    pid_t pid = va_arg(args, pid_t);
    void *addr = va_arg(args, void *);
    void *data = va_arg(args, void *);
    va_end(args);
    if (request == PTRACE_SETREGSET && (uintptr_t)addr == NT_X86_XSTATE)
        return set_whole_area(pid, addr, data);
    if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_PEEKUSER)
        return raw(request, pid, addr, data);
    rc = raw(request, pid, addr, &word);
    if (rc < 0)
        return -1;
    errno = 0;
    return word;
}
