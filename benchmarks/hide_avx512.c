/* Hides AVX-512, VNNI and AMX from a program, to measure on a newer CPU what a CPU with AVX2 alone would do.

       gcc -O2 -shared -fPIC -o hide_avx512.so benchmarks/hide_avx512.c
       LD_PRELOAD=./hide_avx512.so python benchmarks/inference.py

   Libraries choose their kernels by the instruction CPUID, and not all of them can be told otherwise by a
   variable of the environment. Here CPUID faults (arch_prctl(2), ARCH_SET_CPUID), and the answer is given
   without the features. For Linux on x86-64 with `cpuid_fault` in /proc/cpuinfo; elsewhere the program does not
   start. What the kernel itself says, as in /proc/cpuinfo, stays as it is, and so does the clock of the CPU. */

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define BIT(number) (1u << (number))

/* Leaf 7 of the instruction, sub-leaf 0: F, DQ, IFMA, PF, ER, CD, BW and VL of AVX-512; its VBMI, VBMI2, VNNI,
   BITALG and VPOPCNTDQ; 4VNNIW, 4FMAPS, VP2INTERSECT, AMX-BF16, AVX512-FP16, AMX-TILE and AMX-INT8. */
static const unsigned LEAF_7_EBX = BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31);
static const unsigned LEAF_7_ECX = BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14);
static const unsigned LEAF_7_EDX = BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25);

/* Sub-leaf 1: AVX-VNNI, AVX512-BF16, AMX-FP16 and AVX-IFMA; AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16, AVX10. */
static const unsigned LEAF_7_1_EAX = BIT(4) | BIT(5) | BIT(21) | BIT(23);
static const unsigned LEAF_7_1_EDX = BIT(4) | BIT(5) | BIT(10) | BIT(19);

static void answer_cpuid(int signal_number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    const unsigned char *code = (const unsigned char *)registers[REG_RIP];
    if (code[0] != 0x0f || code[1] != 0xa2) { /* another fault: it ends the program when it comes again */
        signal(signal_number, SIG_DFL);
        return;
    }
    unsigned leaf = registers[REG_RAX], sub_leaf = registers[REG_RCX], eax, ebx, ecx, edx;
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1);
    __asm__ volatile("cpuid" : "=a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx) : "a"(leaf), "c"(sub_leaf));
    syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0);
    if (leaf == 7 && sub_leaf == 0) {
        ebx &= ~LEAF_7_EBX;
        ecx &= ~LEAF_7_ECX;
        edx &= ~LEAF_7_EDX;
    } else if (leaf == 7 && sub_leaf == 1) {
        eax &= ~LEAF_7_1_EAX;
        edx &= ~LEAF_7_1_EDX;
    }
    registers[REG_RAX] = eax;
    registers[REG_RBX] = ebx;
    registers[REG_RCX] = ecx;
    registers[REG_RDX] = edx;
    registers[REG_RIP] += 2;
    (void)info;
}

__attribute__((constructor)) static void hide_features(void)
{
    struct sigaction action = {.sa_sigaction = answer_cpuid, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    if (syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0) != 0) {
        fputs("hide_avx512: this CPU or kernel cannot intercept CPUID\n", stderr);
        exit(2);
    }
}
