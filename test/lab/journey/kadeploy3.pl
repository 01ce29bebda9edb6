# The frontend's kadeploy3: hands its command line to the lab, which does the deployment and says what is to be printed.
# perl kadeploy3.pl SOCKET ARGUMENTS…
use strict;
use IO::Socket::UNIX;

my $path = shift;
my $lab = IO::Socket::UNIX->new(Peer => $path) or do {
    print STDERR "The Kadeploy server is unreachable\n";
    exit 1;
};
$lab->autoflush(1);
# As the real client: its lines wait in a buffer unless it is told otherwise.
$| = 1 if $ENV{RUBYOPT};
print $lab "$_\n" for $ENV{PWD}, @ARGV;
print $lab "\n";
while (my $line = <$lab>) {
    exit $1 if $line =~ /^#exit (\d+)$/;
    print $line;
}
exit 1;
