# What client.py is, for hosts that have Perl: it starts in a quarter of the time, and a look at a
# simulated Spark is five programs. Only what Perl has without a module; Linux's numbers.
# Not even strict and warnings: reading those takes longer than everything else. A test has them.
# Called with the path of the simulator's socket and the name of the program.

sub UNIX_STREAM() { 1 }
sub INTERRUPTED() { 4 }
sub AGAIN()       { 11 }
sub PIECE()       { 65_536 }

my $line;

sub run {
    my ($socket_path, $program) = @_;
    @SIG{qw(INT PIPE)} = ('DEFAULT') x 2;
    socket($line, UNIX_STREAM, UNIX_STREAM, 0)
        && connect($line, pack('S a108', UNIX_STREAM, $socket_path))
        or gone($program);
    my @environment = map {"$_=$ENV{$_}"} keys %ENV;
    say_it('h', join("\0", $program, place(), $$, scalar(@ARGV), @ARGV, @environment));
    exit(relay());
}

sub gone {
    my ($program) = @_;
    put(\*STDERR, "$program: the simulator is gone\n");
    exit(127);
}

sub place {
    my $cwd = readlink('/proc/self/cwd');
    return defined($cwd) && -d $cwd ? $cwd : '/';
}

sub relay {
    my $watched = '';
    vec($watched, fileno($line), 1) = 1;
    while (1) {
        next if select(my $ready = $watched, undef, undef, undef) < 0;
        if (vec($ready, 0, 1)) {
            my $piece = take(\*STDIN, PIECE);
            say_it('i', $piece);
            vec($watched, 0, 1) = 0 if $piece eq '';
        }
        next unless vec($ready, fileno($line), 1);
        my $kind = exactly(1);
        return 255 if $kind eq '';
        my $body = exactly(unpack('N', exactly(4)));
        if    ($kind eq 'o') { put(\*STDOUT, $body) }
        elsif ($kind eq 'e') { put(\*STDERR, $body) }
        elsif ($kind eq 'I') { vec($watched, 0, 1) = 1 }
        elsif ($kind eq 'E') { become($body) }
        elsif ($kind eq 'x') { return $body }
    }
}

sub become {
    my ($cwd, $count, @rest) = split(/\0/, $_[0], -1);
    my @arguments = splice(@rest, 0, $count);
    close($line);
    chdir($cwd) or die("$cwd: $!\n");
    %ENV = map { split(/=/, $_, 2) } @rest;
    exec({$arguments[0]} @arguments) or die("$arguments[0]: $!\n");
}

sub say_it {
    my ($kind, $body) = @_;
    put($line, $kind . pack('N', length($body)) . $body);
}

sub exactly {
    my ($count) = @_;
    my $pieces = '';
    while (length($pieces) < $count) {
        my $piece = take($line, $count - length($pieces));
        return '' if $piece eq '';
        $pieces .= $piece;
    }
    return $pieces;
}

# The next piece; empty at the end, and where there is nothing more to be had.
sub take {
    my ($from, $most) = @_;
    my $piece = '';
    while (!defined(sysread($from, $piece, $most))) {
        return '' unless $! == INTERRUPTED;
    }
    return $piece;
}

sub put {
    my ($to, $body) = @_;
    my $done = 0;
    while ($done < length($body)) {
        my $written = syswrite($to, $body, length($body) - $done, $done);
        if (defined($written)) { $done += $written }
        elsif ($! == AGAIN) { wait_for($to) }
        elsif ($! != INTERRUPTED) { die("cannot write: $!\n") }
    }
}

sub wait_for {
    my ($to) = @_;
    my $watched = '';
    vec($watched, fileno($to), 1) = 1;
    select(undef, $watched, undef, undef);
}

1;
